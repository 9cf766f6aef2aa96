import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import type { Changes } from '../../server/changes/changes.ts'
import type { Ingest } from '../../server/ingest/ingest.ts'
import { examples } from '../../server/transport/examples.ts'
import { readReadiness } from '../../server/transport/health.ts'
import { type Api, type Json, postMessages, seedShop, startApi } from './apiKit.ts'

const METRICS = `subscription { metrics(metrics: [EVENTS], window: "PT1M", every: "PT0.05S") { kind cursor previousCursor totals { value } } }`
const TRACK = `mutation ($events: [EventInput!]!) { trackEvents(events: $events) { accepted duplicates rejected { index code path message } } }`

let api: Api

beforeAll(async () => {
  api = await startApi({ transport: { allowedOrigins: ['https://shop.example'] } })
  await seedShop(api)
})
afterAll(() => api.close())

const graphqlUrl = () => `${api.url}/graphql`
const post = (body: string, headers: Record<string, string> = {}) =>
  fetch(graphqlUrl(), { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })

/** A bare socket that speaks graphql-transport-ws, to send what no client would. */
async function openSocket(headers: Record<string, string> = {}) {
  const socket = new WebSocket(graphqlUrl().replace('http', 'ws'), 'graphql-transport-ws', { headers })
  const messages: Json[] = []
  let wake = () => {}
  socket.on('message', (data) => {
    messages.push(JSON.parse(String(data)))
    wake()
  })
  await once(socket, 'open')
  const send = (message: object) => socket.send(JSON.stringify(message))
  /** The next message of which this holds; others before it are dropped. */
  async function next(wanted: (message: Json) => boolean): Promise<Json> {
    for (;;) {
      const found = messages.findIndex(wanted)
      if (found >= 0) return messages.splice(0, found + 1).at(-1)
      await new Promise<void>((resolve) => (wake = resolve))
    }
  }
  send({ type: 'connection_init' })
  await next(({ type }) => type === 'connection_ack')
  return { socket, send, next }
}

describe('over HTTP', () => {
  test('a query and a mutation are answered, each with a request id', async () => {
    const { status, headers, data } = await api.post(TRACK, { events: [{ type: 'page_view' }, { type: '' }] })
    expect(status).toBe(200)
    expect(headers.get('x-request-id')).toMatch(/^[\w-]{36}$/)
    expect(data.trackEvents).toMatchObject({ accepted: 1, duplicates: 0, rejected: [{ index: 1, code: 'INVALID' }] })
    const found = await fetch(`${graphqlUrl()}?query={stats{rowsAccepted}}`, {
      headers: { accept: 'application/json' },
    })
    expect((await found.json()).data.stats.rowsAccepted).toBeGreaterThan(0)
  })

  test('ingestEvents takes rows as JSON, in variables and as a literal', async () => {
    const batch = [{ type: 'page_view', uri: '/a' }]
    const mutation = `mutation ($batch: EventBatch!) { ingestEvents(batch: $batch) { accepted } }`
    expect((await api.post(mutation, { batch })).data.ingestEvents.accepted).toBe(1)
    const literal = `mutation { ingestEvents(batch: [{ type: "page_view", amount: 1.5 }]) { accepted } }`
    expect((await api.post(literal)).data.ingestEvents.accepted).toBe(1)
  })

  test.each([
    ['a syntax error', '{ stats {', {}],
    ['an unknown field', '{ nothing }', {}],
    ['a variable of the wrong type', TRACK, { events: [{ type: 17 }] }],
    ['a variable that is missing', TRACK, {}],
    ['a duration that is none', '{ metrics(metrics: [EVENTS], window: "5 minutes") { kind } }', {}],
    ['an enum value there is not', '{ metrics(metrics: [NOTHING]) { kind } }', {}],
  ])("%s is the caller's: 400 and BAD_REQUEST", async (_what, query, variables) => {
    const { status, errors, headers } = await api.post(query, variables)
    expect(status).toBe(400)
    expect(errors?.[0]?.extensions).toEqual({ code: 'BAD_REQUEST', requestId: headers.get('x-request-id') })
  })

  test('arguments that make no sense are refused with the reason', async () => {
    const { errors } = await api.post(`{ metrics(metrics: [USER_PAGE_VIEWS], by: COUNTRY) { kind } }`)
    expect(errors?.[0]).toMatchObject({ extensions: { code: 'BAD_REQUEST' } })
    expect(errors?.[0]?.message).toMatch(/USER_PAGE_VIEWS does not have the dimension COUNTRY/)
  })

  test('a mutation cannot be sent by GET', async () => {
    const response = await fetch(`${graphqlUrl()}?query=mutation{trackEvents(events:[]){accepted}}`)
    expect(response.status).toBe(405)
    expect((await response.json()).errors[0].extensions.code).toBe('BAD_REQUEST')
  })

  test.each(['//', '/\\', 'http://['])('a request for %s, which is no address, costs nobody else', async (path) => {
    const ask = async (headers: Record<string, string>) => {
      const sent = httpRequest(api.url, { path, headers })
      sent.end()
      const [response] = await once(sent, 'response')
      response.resume()
      return response.statusCode
    }
    expect(await ask({})).toBe(400)
    expect(await ask({ connection: 'upgrade', upgrade: 'websocket' })).toBe(404)
    expect((await api.post('{ stats { at } }')).status).toBe(200)
  })

  test.each([
    ['a form', 'application/x-www-form-urlencoded', 'query={stats{at}}', 415],
    ['plain text', 'text/plain', '{"query":"{stats{at}}"}', 415],
    ['a file upload', 'multipart/form-data; boundary=x', '--x--', 415],
    ['no JSON', 'application/json', '{', 400],
    ['JSON that is no operation', 'application/json', '[]', 400],
    ['an empty object', 'application/json', '{}', 400],
  ])('%s is refused', async (_what, type, body, status) => {
    const response = await post(body, { 'content-type': type })
    expect(response.status).toBe(status)
    expect((await response.json()).errors[0].extensions.code).toBe('BAD_REQUEST')
  })

  test('a body beyond the limit is refused, said or not how long it is', async () => {
    const small = await startApi({ database: api.database, transport: { limits: { bodyBytesMax: 1000 } } })
    try {
      const body = JSON.stringify({ query: '{ stats { at } }', variables: { x: 'x'.repeat(2000) } })
      const said = await fetch(`${small.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      })
      expect(said.status).toBe(413)
      expect((await said.json()).errors[0].extensions.code).toBe('PAYLOAD_TOO_LARGE')
      const chunked = httpRequest(`${small.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
      })
      chunked.on('error', () => undefined)
      chunked.write(body.slice(0, 600))
      chunked.end(body.slice(600))
      const [response] = await once(chunked, 'response')
      expect(response.statusCode).toBe(413)
      response.resume()
    } finally {
      await small.close()
    }
  })

  test.each([
    [
      'too deep',
      `{ users { nodes { ${'orders { nodes { user { '.repeat(4)} id ${'} } }'.repeat(4)} } } }`,
      /levels deep/,
    ],
    ['too many aliases', `{ ${Array.from({ length: 31 }, (_, i) => `a${i}: stats { at }`).join(' ')} }`, /aliases/],
    [
      'too many aliases by fragments',
      `{ ...a ...a ...a ...a } fragment a on Query { ${Array.from({ length: 9 }, (_, i) => `a${i}: stats { at }`).join(' ')} }`,
      /36 aliases/,
    ],
    ['too long', `{ ${'stats { at } '.repeat(3000)} }`, /tokens/],
    ['nested too deep', `{ metrics(metrics: ${'['.repeat(4000)}${']'.repeat(4000)}) { kind } }`, /nested/],
    ['nested too deep by fragments', `{ ${'... { '.repeat(2000)} stats { at } ${'} '.repeat(2000)} }`, /nested/],
    ['too costly', `{ users(first: 500) { nodes { orders(first: 500) { nodes { orderId } } } } }`, /points/],
  ])('an operation that is %s is refused', async (_what, query, message) => {
    const { status, errors } = await api.post(query)
    expect(status).toBe(400)
    expect(errors?.[0]?.extensions.code).toBe('BAD_REQUEST')
    expect(errors?.[0]?.message).toMatch(message)
  })

  test('a cost that comes by variables is counted too', async () => {
    const query = `query ($n: Int) { users(first: $n) { nodes { orders(first: $n) { nodes { orderId } } } } }`
    expect((await api.post(query, { n: 10 })).errors).toBeUndefined()
    expect((await api.post(query, { n: 500 })).errors?.[0]?.message).toMatch(/points/)
  })

  test('what fails inside is masked, and the log has the cause under the request id', async () => {
    const broken = await startApi({ database: api.database })
    try {
      await broken.database.pool.query('alter view cagg.continuous_aggregates rename to hidden')
      const { status, errors, headers } = await broken.post('{ continuousAggregates { name } }')
      const requestId = headers.get('x-request-id')
      expect(status).toBe(500)
      expect(errors?.[0]?.extensions).toEqual({ code: 'INTERNAL', requestId })
      expect(JSON.stringify(errors)).not.toMatch(/relation|cagg|stack/)
      const line = broken.logged.find((each) => each.requestId === requestId)
      expect(line?.err?.message).toMatch(/continuous_aggregates/)
    } finally {
      await broken.database.pool.query('alter view cagg.hidden rename to continuous_aggregates')
      await broken.close()
    }
  })

  test('a full house is 503 with Retry-After, and tells when to come back', async () => {
    const full = await startApi({ database: api.database, subscriptions: { subscribersMax: 0 } })
    try {
      const response = await fetch(`${full.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
        body: JSON.stringify({ query: 'subscription { messages { kind } }' }),
      })
      expect(response.status).toBe(503)
      expect(response.headers.get('retry-after')).toBe('5')
      expect(await response.text()).toMatch(
        /"code":"OVERLOADED".*"retryAfterMs":5000|"retryAfterMs":5000.*"code":"OVERLOADED"/,
      )
    } finally {
      await full.close()
    }
  })
})

describe('pages of other sites', () => {
  test('are refused over HTTP, and nothing is written', async () => {
    const response = await post(JSON.stringify({ query: '{ stats { at } }' }), { origin: 'https://evil.example' })
    expect(response.status).toBe(403)
    expect(response.headers.get('access-control-allow-origin')).toBeNull()
    expect((await response.json()).errors[0].extensions.code).toBe('FORBIDDEN')
    const tag = await fetch(`${graphqlUrl()}?query={stats{at}}`, {
      headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
    })
    expect(tag.status).toBe(403)
  })

  test('are let in where they are listed, and may read the answer', async () => {
    const origin = 'https://shop.example'
    const preflight = await fetch(graphqlUrl(), {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    })
    expect(preflight.status).toBe(204)
    const response = await post(JSON.stringify({ query: '{ stats { at } }' }), { origin })
    expect(response.status).toBe(200)
    expect(response.headers.get('access-control-allow-origin')).toBe(origin)
    expect(response.headers.get('access-control-allow-credentials')).toBeNull()
  })

  test("get no socket; the server's own page does", async () => {
    const refused = new WebSocket(graphqlUrl().replace('http', 'ws'), 'graphql-transport-ws', {
      headers: { origin: 'https://evil.example' },
    })
    const [error] = await once(refused, 'error')
    expect(error.message).toMatch(/403/)
    const { socket } = await openSocket({ origin: api.url })
    socket.close()
  })
})

describe('streams', () => {
  test.each(['socket', 'SSE'])(
    'windowed metrics by %s: a snapshot, then a delta with each change',
    async (transport) => {
      const stream = transport === 'SSE' ? api.watchBySse(METRICS) : api.watch(METRICS)
      const snapshot = await stream.next()
      expect(snapshot).toMatchObject({ kind: 'SNAPSHOT', previousCursor: null })
      await api.post(TRACK, { events: [{ type: 'page_view' }] })
      const delta = await stream.next()
      expect(delta).toMatchObject({ kind: 'DELTA', previousCursor: snapshot.cursor })
      expect(delta.totals[0].value).toBe(snapshot.totals[0].value + 1)
      stream.close()
    },
  )

  test('end with their client, by SSE as by socket', async () => {
    const query = 'subscription { messages { kind } }'
    const streams = [api.watchBySse(query), api.watch(query)]
    await Promise.all(streams.map((stream) => stream.next()))
    expect(api.streams().feeds).toBe(1)
    for (const stream of streams) stream.close()
    await expect.poll(() => api.streams().feeds).toBe(0)
  })

  test('an error in one operation leaves the other streams of its socket alone', async () => {
    const { socket, send, next } = await openSocket()
    send({ id: 'live', type: 'subscribe', payload: { query: 'subscription { messages { kind messages { title } } }' } })
    await next(({ id, type }) => id === 'live' && type === 'next')
    const bad = [
      ['syntax', '{ stats {'],
      ['unknown', 'subscription { nothing }'],
      ['argument', 'subscription { messages(after: "nonsense") { kind } }'],
      ['deep', `{ users { nodes { ${'orders { nodes { user { '.repeat(4)} id ${'} } }'.repeat(4)} } } }`],
      ['costly', `{ users(first: 500) { nodes { orders(first: 500) { nodes { orderId } } } } }`],
    ]
    for (const [id, query] of bad) {
      send({ id, type: 'subscribe', payload: { query } })
      const message = await next((each) => each.id === id && each.type !== 'complete')
      const errors = message.type === 'error' ? message.payload : message.payload.errors
      expect(errors[0].extensions.code).toBe('BAD_REQUEST')
      expect(errors[0].extensions.requestId).toMatch(/^[\w-]{36}$/)
    }
    await postMessages(api, 'SUCCESS', ['still here'])
    const delta = await next(({ id, type }) => id === 'live' && type === 'next')
    expect(delta.payload.data.messages.messages).toEqual([{ title: 'still here' }])
    expect(socket.readyState).toBe(WebSocket.OPEN)
    socket.close()
  })

  test('queries and mutations run on a socket too', async () => {
    const { socket, send, next } = await openSocket()
    send({ id: '1', type: 'subscribe', payload: { query: TRACK, variables: { events: [{ type: 'page_view' }] } } })
    const answer = await next(({ id, type }) => id === '1' && type === 'next')
    expect(answer.payload.data.trackEvents.accepted).toBe(1)
    socket.close()
  })

  test('a message beyond the limit closes its socket with 1009, and no other', async () => {
    const { socket, send } = await openSocket()
    const other = await openSocket()
    send({ id: '1', type: 'subscribe', payload: { query: '{ stats { at } }', variables: { x: 'x'.repeat(300_000) } } })
    const [code] = await once(socket, 'close')
    expect(code).toBe(1009)
    expect(other.socket.readyState).toBe(WebSocket.OPEN)
    other.socket.close()
  })

  test('another protocol on the socket, or none, is refused', async () => {
    const socket = new WebSocket(graphqlUrl().replace('http', 'ws'), ['graphql-ws'])
    const [error] = await once(socket, 'error')
    expect(error.message).toMatch(/no subprotocol/)
    const bare = new WebSocket(graphqlUrl().replace('http', 'ws'))
    expect((await once(bare, 'close'))[0]).toBe(4406)
  })

  test('a client that takes nothing is let go, and its streams with it', async () => {
    const strict = await startApi({ database: api.database, transport: { limits: { socketSendMs: 300 } } })
    try {
      const port = Number(new URL(strict.url).port)
      const socket = connect(port, '127.0.0.1')
      const key = Buffer.from('0123456789abcdef').toString('base64')
      socket.write(
        `GET /graphql HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\n` +
          'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n',
      )
      await once(socket, 'data')
      socket.on('error', () => undefined)
      socket.write(frame({ type: 'connection_init' }))
      await once(socket, 'data')
      const payload = { query: 'subscription { messages { messages { title text } } }' }
      for (let id = 0; id < 50; id++) socket.write(frame({ id: String(id), type: 'subscribe', payload }))
      await expect.poll(() => strict.streams().subscribers).toBe(50)
      socket.pause()
      const text = 'x'.repeat(60_000)
      for (let i = 0; i < 8; i++) {
        await strict.post(`mutation ($m: [MessageInput!]!) { postMessages(messages: $m) { accepted } }`, {
          m: Array.from({ length: 10 }, () => ({ severity: 'DANGER', title: 'large', text: text.slice(0, 4000) })),
        })
      }
      await expect.poll(() => strict.streams().subscribers, { timeout: 15_000 }).toBe(0)
      socket.destroy()
    } finally {
      await strict.close()
    }
  })
})

describe('the page at', () => {
  test('/graphql is GraphiQL, whole in itself, with five operations to begin with', async () => {
    const response = await fetch(graphqlUrl(), { headers: { accept: 'text/html' } })
    expect(response.headers.get('content-type')).toMatch(/text\/html/)
    const html = await response.text()
    expect(html).toContain('Lookout: GraphiQL')
    expect(html).not.toMatch(/<script[^>]+src=|<link[^>]+href="(?!data:)|@import|url\((['"]?)https?:/)
    const options = /renderYogaGraphiQL\(\s*window\.document\.querySelector\('#root'\),\s*(\{.*\}),\s*\)/.exec(
      html,
    )?.[1]
    const { defaultTabs, subscriptionsProtocol, endpoint } = JSON.parse(options ?? '{}')
    expect(endpoint).toBe('/graphql')
    expect(subscriptionsProtocol).toBe('SSE')
    expect(defaultTabs).toHaveLength(5)
    for (const { query, variables } of defaultTabs) {
      if (query.includes('subscription')) {
        const stream = api.watch(query)
        expect((await stream.next()).kind).toBe('SNAPSHOT')
        stream.close()
      } else {
        const { errors, data } = await api.post(query, JSON.parse(variables ?? '{}'))
        expect(errors).toBeUndefined()
        expect(Object.values(data)[0]).toBeTruthy()
      }
    }
    expect(examples).toHaveLength(5)
  })

  test('/ says how to build the dashboard while it is not built, and is it afterwards', async () => {
    const before = await fetch(`${api.url}/`)
    expect(before.status).toBe(503)
    expect(await before.text()).toContain('npm run build')

    mkdirSync(join(api.publicDir, 'assets'))
    writeFileSync(join(api.publicDir, 'index.html'), '<!doctype html><title>built</title>')
    writeFileSync(join(api.publicDir, 'assets/app-1a2b.js'), `export const x = '${'x'.repeat(5000)}'`)
    for (const path of ['/', '/orders/today?x=1']) {
      const page = await fetch(`${api.url}${path}`)
      expect(page.status).toBe(200)
      expect(page.headers.get('cache-control')).toBe('no-cache')
      expect(await page.text()).toContain('built')
    }
    const script = await fetch(`${api.url}/assets/app-1a2b.js`)
    expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
    expect(script.headers.get('cache-control')).toMatch(/immutable/)
    expect(script.headers.get('content-encoding')).toBe('gzip')
    expect(await script.text()).toContain('export const x')
    const again = await fetch(`${api.url}/assets/app-1a2b.js`, {
      headers: { 'if-none-match': script.headers.get('etag')! },
    })
    expect(again.status).toBe(304)
    expect((await fetch(`${api.url}/assets/gone.js`)).status).toBe(404)
  })

  test.each(['/..%2f..%2f..%2fetc%2fpasswd', '/assets/..%2f..%2f..%2f..%2fetc%2fpasswd.txt', '/%00.js', '/%'])(
    '%s is nowhere',
    async (path) => {
      const raw = httpRequest(`${api.url}`, { path })
      raw.end()
      const [response] = await once(raw, 'response')
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk as Buffer)
      const body = Buffer.concat(chunks)
      const text = response.headers['content-encoding'] === 'gzip' ? gunzipSync(body).toString() : body.toString()
      expect(text).not.toMatch(/root:/)
    },
  )

  test('/health and /ready answer', async () => {
    expect(await (await fetch(`${api.url}/health`)).json()).toEqual({ status: 'ok' })
    const ready = await fetch(`${api.url}/ready`)
    expect(ready.status).toBe(200)
    expect(await ready.json()).toMatchObject({ ready: true, database: 'ok', migrations: 'ok', writer: 'ok' })
  })

  test('/ready says no while the change log cannot be read, and yes however late its last news was', async () => {
    const services = (behindMs: number) => ({
      database: api.database,
      ingest: { ready: () => true } as Ingest,
      changes: { behindMs: () => behindMs, lagMs: () => 3_600_000 } as Changes,
    })
    expect(await readReadiness(services(150), [])).toMatchObject({ ready: true, streamsBehindMs: 150 })
    expect(await readReadiness(services(10_001), [])).toMatchObject({ ready: false, database: 'ok', writer: 'ok' })
  })

  test('/ready says no where the database lacks a migration of this version', async () => {
    const ahead = await startApi({ database: api.database, transport: { migrations: ['20991231000000_tomorrow'] } })
    try {
      const ready = await fetch(`${ahead.url}/ready`)
      expect(ready.status).toBe(503)
      expect(await ready.json()).toMatchObject({ ready: false, database: 'ok', migrations: 'missing' })
    } finally {
      await ahead.close()
    }
  })
})

test('closing finishes what is under way, tells sockets to go elsewhere and ends streams', async () => {
  const closing = await startApi({ database: api.database })
  const socket = new WebSocket(`${closing.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
  await once(socket, 'open')
  const stream = closing.watchBySse('subscription { messages { kind } }')
  await stream.next()
  const underWay = closing.post(TRACK, { events: [{ type: 'page_view' }] })
  const closed = once(socket, 'close')
  await expect(underWay).resolves.toMatchObject({ data: { trackEvents: { accepted: 1 } } })
  await closing.close()
  expect((await closed)[0]).toBe(1001)
  await expect(stream.next()).rejects.toBeDefined()
  await expect(fetch(`${closing.url}/health`)).rejects.toBeDefined()
})

/** One text frame as a client sends it, masked with zeros. */
function frame(message: object): Buffer {
  const text = Buffer.from(JSON.stringify(message))
  const head =
    text.length < 126
      ? Buffer.from([0x81, 0x80 | text.length])
      : Buffer.from([0x81, 0xfe, text.length >> 8, text.length & 255])
  return Buffer.concat([head, Buffer.alloc(4), text])
}
