// The way out: what is made once for all, what a viewer that does not read costs, and what becomes of it. On real sockets.
import { once } from 'node:events'
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { createSchema, createYoga } from 'graphql-yoga'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { isStream, makeOutlet, mergeOnce, type Stream } from '../../server/outlet.ts'
import { TRANSPORT_LIMITS } from '../../server/transport/limits.ts'
import { makeOutflow } from '../../server/transport/outflow.ts'
import { pourOut } from '../../server/transport/pourOut.ts'
import { shareResults, SharedResult } from '../../server/transport/shared.ts'
import { type Api, startApi } from './apiKit.ts'

interface Thing {
  n: number
}

/** A source of messages that are the same object for all who watch, and a count of how often a field of them was asked for. */
function makeSource() {
  const outlets = new Set<{ push(thing: Thing): void; end(error?: unknown): void }>()
  let resolved = 0
  const yoga = createYoga({
    plugins: [shareResults()],
    maskedErrors: false,
    schema: createSchema({
      typeDefs: `
        scalar Cursor
        type Query { ok: Boolean }
        type Thing { n(times: Int): Int }
        type Subscription { things(after: Cursor): Thing }`,
      resolvers: {
        Thing: {
          n({ n }: Thing, { times = 1 }: { times?: number }) {
            resolved++
            if (n < 0) throw new Error('no such thing')
            return n * times
          },
        },
        Subscription: {
          things: {
            subscribe() {
              const waiting: Thing[] = []
              const outlet = makeOutlet<Thing>({ take: () => waiting.shift(), onEnd: () => outlets.delete(entry) })
              const entry = {
                push(thing: Thing) {
                  waiting.push(thing)
                  outlet.wake()
                },
                end: (error?: unknown) => outlet.end(error),
              }
              outlets.add(entry)
              return outlet.stream
            },
            resolve: (thing: Thing) => thing,
          },
        },
      },
    }),
  })
  return {
    resolved: () => resolved,
    watching: () => outlets.size,
    push: (thing: Thing) => outlets.forEach((outlet) => outlet.push(thing)),
    end: (error?: unknown) => [...outlets].forEach((outlet) => outlet.end(error)),
    async watch(query: string, variables: Record<string, unknown> = {}): Promise<Stream<SharedResult>> {
      const { parse, schema, contextFactory, subscribe } = yoga.getEnveloped({})
      const result: unknown = await subscribe({
        schema,
        document: parse(query),
        variableValues: variables,
        contextValue: await contextFactory(),
      })
      if (!isStream(result)) throw new Error(JSON.stringify(result))
      return result as Stream<SharedResult>
    },
  }
}

const valueOf = async (stream: Stream<SharedResult>) => (await stream.next()).value

describe('a message that many ask the same of', () => {
  const QUERY = 'subscription ($times: Int, $after: Cursor) { things(after: $after) { n(times: $times) } }'

  test('is executed and made text once, wherever each of them goes on from', async () => {
    const source = makeSource()
    const streams = await Promise.all(['a', 'b', undefined].map((after) => source.watch(QUERY, { times: 2, after })))
    source.push({ n: 21 })
    const results = await Promise.all(streams.map(valueOf))
    expect(results[0]!.text).toBe('{"data":{"things":{"n":42}}}')
    expect(new Set(results).size).toBe(1)
    expect(source.resolved()).toBe(1)
  })

  test('is made anew for other variables, and for another document', async () => {
    const source = makeSource()
    const streams = await Promise.all([
      source.watch(QUERY, { times: 1 }),
      source.watch(QUERY, { times: 2 }),
      source.watch('subscription { things { m: n } }'),
    ])
    source.push({ n: 1 })
    const results = await Promise.all(streams.map(valueOf))
    expect(results.map((result) => result!.data)).toEqual([
      { things: { n: 1 } },
      { things: { n: 2 } },
      { things: { m: 1 } },
    ])
  })

  test('is not shared where it failed: an error names the request of its own caller', async () => {
    const source = makeSource()
    const streams = await Promise.all([source.watch(QUERY), source.watch(QUERY)])
    source.push({ n: -1 })
    const results = await Promise.all(streams.map(valueOf))
    for (const result of results) {
      expect(result).not.toBeInstanceOf(SharedResult)
      expect(result!.errors).toHaveLength(1)
    }
  })

  test('is no longer kept for who has left', async () => {
    const source = makeSource()
    const streams = await Promise.all([source.watch(QUERY), source.watch(QUERY)])
    await streams[0]!.return!()
    expect(source.watching()).toBe(1)
    source.push({ n: 1 })
    expect((await valueOf(streams[1]!))!.data).toEqual({ things: { n: 1 } })
    expect((await streams[0]!.next()).done).toBe(true)
  })
})

test('what waits for many that are late is merged once, and again where something else waits', () => {
  const merged: string[] = []
  const merge = mergeOnce<{ says: string }>((first, second) => {
    merged.push(`${first.says}${second.says}`)
    return { says: merged.at(-1)! }
  })
  const [a, b, next] = [{ says: 'a' }, { says: 'b' }, { says: 'next' }]
  expect(merge(a, next)).toBe(merge(a, next))
  expect(merge(b, next)).toEqual({ says: 'bnext' })
  expect(merged).toEqual(['anext', 'bnext'])
})

describe('a stream that is poured', () => {
  test('hands over what waits, holds the rest while there is no room, and ends after it', async () => {
    const source = makeSource()
    const stream = await source.watch('subscription { things { n } }')
    const taken: unknown[] = []
    let room = 2
    const ended = new Promise<unknown>((resolve) => {
      const wake = stream.pour({
        ready: () => room > 0,
        take(result) {
          room--
          taken.push((result.data as { things: Thing }).things.n)
        },
        end: resolve,
      })
      for (const n of [1, 2, 3]) source.push({ n })
      source.end(new Error('away'))
      void turn().then(() => {
        expect(taken).toEqual([1, 2])
        room = 9
        wake()
      })
    })
    expect(await ended).toMatchObject({ message: 'away' })
    expect(taken).toEqual([1, 2, 3])
  })
})

describe('a socket', () => {
  /** A pair of ends: a server's outflow, and a plain connection that has said that it speaks WebSocket. */
  async function makePair(socketSendMs: number) {
    const http = createServer()
    const acceptor = new WebSocketServer({ noServer: true, perMessageDeflate: false })
    let slow = 0
    const accepted = new Promise<ReturnType<typeof makeOutflow>>((resolve) =>
      http.once('upgrade', (request, connection, head) =>
        acceptor.handleUpgrade(request, connection, head, (socket) =>
          resolve(makeOutflow({ socket, connection, onSlow: () => slow++ }, { socketSendMs })),
        ),
      ),
    )
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    const client = connect((http.address() as AddressInfo).port, '127.0.0.1')
    client.write(
      'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ' +
        `${Buffer.alloc(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    )
    await once(client, 'data')
    return {
      outflow: await accepted,
      client,
      slow: () => slow,
      close() {
        client.destroy()
        acceptor.clients.forEach((socket) => socket.terminate())
        http.close()
      },
    }
  }

  /** The texts of whole frames. */
  function readFrames(client: Socket): string[] {
    const texts: string[] = []
    let held = Buffer.alloc(0)
    client.on('data', (chunk: Buffer) => {
      held = Buffer.concat([held, chunk])
      for (;;) {
        const short = held[1]! & 127
        const start = short < 126 ? 2 : short === 126 ? 4 : 10
        if (held.length < start) return
        const bytes = short < 126 ? short : short === 126 ? held.readUInt16BE(2) : Number(held.readBigUInt64BE(2))
        if (held.length < start + bytes) return
        texts.push(held.toString('utf8', start, start + bytes))
        held = held.subarray(start + bytes)
      }
    })
    return texts
  }

  test('carries messages of any length whole, with the id of each operation before the bytes that all share', async () => {
    const pair = await makePair(10_000)
    try {
      const texts = readFrames(pair.client)
      const outlet = makeOutlet<string>({ take: () => payloads.shift(), onEnd: () => undefined })
      const payloads = ['{"short":1}', `{"middle":"${'é'.repeat(500)}"}`, `{"long":"${'x'.repeat(100_000)}"}`]
      const expected = payloads.map((payload) => `{"id":"a\\"b","type":"next","payload":${payload}}`)
      const poured = pourOut(outlet.stream, pair.outflow, { id: 'a"b', tailOf: (text) => Buffer.from(`${text}}`) })
      void poured.next()
      await expect.poll(() => texts.length).toBe(3)
      expect(texts).toEqual(expected)
    } finally {
      pair.close()
    }
  })

  test('that is not read holds no more than it had room for, gets the newest when it is read again, and is told on', async () => {
    const pair = await makePair(200)
    try {
      pair.client.pause()
      let newest = 0
      let waiting: number | undefined
      let taken = 0
      const outlet = makeOutlet<number>({
        take() {
          const value = waiting
          waiting = undefined
          if (value !== undefined) taken++
          return value
        },
        onEnd: () => undefined,
      })
      const filling = 'x'.repeat(500_000)
      const poured = pourOut(outlet.stream, pair.outflow, {
        id: '1',
        tailOf: (n) => Buffer.from(`{"n":${n},"filling":"${filling}"}}`),
      })
      void poured.next()
      for (let i = 0; i < 2_000; i++) {
        waiting = ++newest
        outlet.wake()
        if (i % 100 === 0) await turn()
      }
      expect(taken).toBeLessThan(50)
      await expect.poll(pair.slow).toBe(1)
      const texts = readFrames(pair.client)
      pair.client.resume()
      await expect.poll(() => texts.at(-1)?.includes(`{"n":${newest},`), { timeout: 10_000 }).toBe(true)
      expect(texts).toHaveLength(taken)
    } finally {
      pair.close()
    }
  })
})

test('a socket whose other end says nothing any more is gone within twice the time of a ping', async () => {
  const api = await startApi({ transport: { limits: { socketPingMs: 100 } } })
  try {
    const socket = new WebSocket(`${api.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
      autoPong: false,
    })
    await once(socket, 'ping')
    const asked = Date.now()
    expect((await once(socket, 'close'))[0]).toBe(1006)
    expect(Date.now() - asked).toBeLessThan(1_000)
    expect(2 * TRANSPORT_LIMITS.socketPingMs).toBeLessThan(30_000)
  } finally {
    await api.close()
  }
})

test('a socket that is not read is let go, and counted as one that was too slow', { timeout: 60_000 }, async () => {
  const api = await startApi({ transport: { limits: { socketPingMs: 1_000 } } })
  try {
    const m = Array.from({ length: 100 }, () => ({ severity: 'DANGER', title: 'large', text: 'x'.repeat(4000) }))
    await api.post(`mutation ($m: [MessageInput!]!) { postMessages(messages: $m) { accepted } }`, { m })
    const socket = new WebSocket(`${api.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
    await once(socket, 'open')
    socket.send('{"type":"connection_init"}')
    await once(socket, 'message')
    socket.pause()
    // What the kernel holds for a connection on this machine may be some megabytes.
    const query = 'subscription { messages { messages { title text } } }'
    for (let id = 0; id < 100; id++)
      socket.send(JSON.stringify({ id: String(id), type: 'subscribe', payload: { query } }))
    const closed = async () =>
      (await (await fetch(`${api.url}/metrics`)).text()).includes('lookout_sockets_closed_total{reason="too_slow"} 1')
    await expect.poll(closed, { timeout: 20_000 }).toBe(true)
    expect(api.streams().subscribers).toBe(0)
    socket.terminate()
  } finally {
    await api.close()
  }
})

describe('by SSE', () => {
  let api: Api
  beforeAll(async () => {
    api = await startApi({ transport: { limits: { socketSendMs: 300, socketPingMs: 50 } } })
  })
  afterAll(() => api.close())

  const open = (query: string) =>
    new Promise<IncomingMessage>((resolve) => {
      const request = httpRequest(`${api.url}/graphql?query=${encodeURIComponent(query)}`, {
        headers: { accept: 'text/event-stream' },
      })
      request.on('response', resolve)
      request.end()
    })

  test('an idle stream sends its snapshot, and then nothing but signs of life', async () => {
    const response = await open('subscription { messages { kind } }')
    expect(response.headers['content-type']).toBe('text/event-stream')
    let text = ''
    response.on('data', (chunk) => (text += String(chunk)))
    await expect.poll(() => text.split(':\n\n').length, { timeout: 10_000 }).toBeGreaterThan(6)
    expect(text.replaceAll(':\n\n', '')).toBe('event: next\ndata: {"data":{"messages":{"kind":"SNAPSHOT"}}}\n\n')
    response.destroy()
    await expect.poll(() => api.streams().subscribers).toBe(0)
  })

  test('an error is masked, and named by its request', async () => {
    const response = await open('subscription { messages(after: "nonsense") { kind } }')
    const text = (await response.toArray()).join('')
    expect(text).toMatch(/"code":"BAD_REQUEST","requestId":"[\w-]{36}"/)
  })

  test('who takes no events is refused, and watches nothing', async () => {
    const query = encodeURIComponent('subscription { messages { kind } }')
    const response = await fetch(`${api.url}/graphql?query=${query}`, { headers: { accept: 'application/json' } })
    expect(response.status).toBe(406)
    expect(api.streams().subscribers).toBe(0)
  })

  test('who does not read is let go', { timeout: 60_000 }, async () => {
    const m = Array.from({ length: 100 }, () => ({ severity: 'DANGER', title: 'large', text: 'x'.repeat(4000) }))
    const large = await open('subscription { messages { messages { title text } } }')
    large.pause()
    await expect.poll(() => api.streams().feeds).toBe(1)
    // What the kernel holds for a connection on this machine may be some megabytes.
    for (let i = 0; i < 100 && api.streams().feeds > 0; i++) {
      await api.post(`mutation ($m: [MessageInput!]!) { postMessages(messages: $m) { accepted } }`, { m })
    }
    await expect.poll(() => api.streams().feeds, { timeout: 5_000 }).toBe(0)
    large.destroy()
    expect(await (await fetch(`${api.url}/metrics`)).text()).toContain('lookout_sse_closed_total{reason="too_slow"} 1')
  })
})
