// What one caller may take of what there is for all: each limit with its code, and the README's table as the code has it.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import { createKey } from '../../server/access/keyTable.ts'
import { BUILDER_LIMITS } from '../../server/schema/builder.ts'
import { SUBSCRIPTIONS_OPTIONS } from '../../server/subscriptions/subscriptions.ts'
import { TRANSPORT_LIMITS } from '../../server/transport/limits.ts'
import { makeRates } from '../../server/transport/rate.ts'
import { makeCaller } from '../../server/access/callers.ts'
import { WINDOW_LIMITS } from '../../server/windows/limits.ts'
import { type Api, startApi } from './apiKit.ts'

let api: Api

beforeAll(async () => {
  api = await startApi({
    transport: {
      trustedProxies: ['127.0.0.1'],
      limits: { livePerAddressMax: 2, callsPerSecondMax: 0.1, callsAtOnceMax: 3 },
    },
  })
})
afterAll(() => api.close())

const socketUrl = () => `${api.url.replace('http', 'ws')}/graphql`

/** The status an upgrade is answered with: 101 where it succeeds. */
async function upgradeFrom(forwarded: string): Promise<{ status: number; retryAfter?: string; socket: WebSocket }> {
  const socket = new WebSocket(socketUrl(), 'graphql-transport-ws', { headers: { 'x-forwarded-for': forwarded } })
  return new Promise((resolve) => {
    socket.on('error', () => undefined)
    socket.once('open', () => resolve({ status: 101, socket }))
    socket.once('unexpected-response', (_request, response) =>
      resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'], socket }),
    )
  })
}

/** The status of an SSE stream's answer; it is left open. */
async function streamFrom(forwarded: string): Promise<{ status: number; close(): void }> {
  const sent = httpRequest(`${api.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      'x-forwarded-for': forwarded,
    },
  })
  sent.on('error', () => undefined)
  sent.end(JSON.stringify({ query: 'subscription { messages { kind } }' }))
  const [response] = await once(sent, 'response')
  response.resume()
  return { status: response.statusCode, close: () => sent.destroy() }
}

describe('an address', () => {
  test('has so many sockets and streams, and place again when one ends; others are not touched by it', async () => {
    const first = await upgradeFrom('203.0.113.7')
    const second = await streamFrom('203.0.113.7')
    expect([first.status, second.status]).toEqual([101, 200])
    expect(await upgradeFrom('203.0.113.7')).toMatchObject({ status: 429, retryAfter: '5' })
    expect(await streamFrom('203.0.113.7')).toMatchObject({ status: 429 })
    // What stands before the address that the trusted proxy saw, the caller may have made up.
    expect(await upgradeFrom('198.51.100.1, 203.0.113.7')).toMatchObject({ status: 429 })
    const other = await upgradeFrom('203.0.113.8')
    expect(other.status).toBe(101)
    first.socket.close()
    second.close()
    await expect
      .poll(async () => {
        const again = await upgradeFrom('203.0.113.7')
        again.socket.close()
        return again.status
      })
      .toBe(101)
    other.socket.close()
  })

  test('of this machine itself has no limit', async () => {
    const sockets = Array.from({ length: 4 }, () => new WebSocket(socketUrl(), 'graphql-transport-ws'))
    await Promise.all(sockets.map((socket) => once(socket, 'open')))
    for (const socket of sockets) socket.close()
  })
})

describe('the calls of a key', () => {
  test('are counted over HTTP and sockets together, and refused with the time to wait', async () => {
    const { token } = await createKey(api.database.pool, { name: 'busy', role: 'view' })
    const { token: calm } = await createKey(api.database.pool, { name: 'calm', role: 'view' })
    const headers = { authorization: `Bearer ${token}` }
    const client = api.socket(headers)
    expect((await api.post('{ stats { at } }', {}, headers)).status).toBe(200)
    const query = api.watch('{ stats { at } }', {}, client)
    await query.next()
    expect((await api.post('{ stats { at } }', {}, headers)).status).toBe(200)
    const refused = await api.post('{ stats { at } }', {}, headers)
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(refused.errors?.[0]?.extensions).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: expect.any(Number) })
    await expect(api.watch('{ stats { at } }', {}, client).next()).rejects.toMatchObject([
      { extensions: { code: 'RATE_LIMITED' } },
    ])
    expect((await api.post('{ stats { at } }', {}, { authorization: `Bearer ${calm}` })).status).toBe(200)
  })

  test('come back at a steady rate', () => {
    let nowMs = 0
    const rates = makeRates({ callsPerSecondMax: 10, callsAtOnceMax: 2 }, () => nowMs)
    const { caller } = makeCaller('key', ['view'], { isCounted: true })
    const taken = () => {
      try {
        rates.count(caller)
        return 'taken'
      } catch (error) {
        return (error as { extensions: { retryAfterMs: number } }).extensions.retryAfterMs
      }
    }
    expect([taken(), taken(), taken()]).toEqual(['taken', 'taken', 100])
    nowMs = 60
    expect(taken()).toBe(40)
    nowMs = 100
    expect([taken(), taken()]).toEqual(['taken', 100])
    nowMs = 1_000_000
    expect([taken(), taken(), taken()]).toEqual(['taken', 'taken', 100])
  })
})

test.each([
  ['body of a request', `${TRANSPORT_LIMITS.bodyBytesMax / 1024 ** 2} MiB`],
  ['message coming in on a socket', `${TRANSPORT_LIMITS.messageBytesMax / 1024} KiB`],
  ['tokens of a document', whole(TRANSPORT_LIMITS.tokensMax)],
  ['depth of a document', `${TRANSPORT_LIMITS.depthMax} levels`],
  ['brackets inside each other in a document', `${TRANSPORT_LIMITS.nestingMax} levels`],
  ['aliases of a document', whole(TRANSPORT_LIMITS.aliasesMax)],
  ['cost of a query or subscription', `${whole(TRANSPORT_LIMITS.complexityMax)} points`],
  ['page of a connection', `${BUILDER_LIMITS.pageRowsMax} rows`],
  ['buckets of a window or a time series', whole(WINDOW_LIMITS.bucketsMax)],
  ['`top`', whole(WINDOW_LIMITS.topMax)],
  ['operations on a socket', whole(TRANSPORT_LIMITS.operationsPerSocketMax)],
  [
    'streams of windows; of rows',
    `${whole(WINDOW_LIMITS.subscribersMax)}; ${whole(SUBSCRIPTIONS_OPTIONS.subscribersMax)}`,
  ],
  [
    'distinct windows; distinct streams of rows',
    `${whole(WINDOW_LIMITS.windowsMax)}; ${whole(SUBSCRIPTIONS_OPTIONS.feedsMax)}`,
  ],
  ['sockets', whole(TRANSPORT_LIMITS.socketsMax)],
  ['sockets and SSE streams of an address', `${whole(TRANSPORT_LIMITS.livePerAddressMax)} (\`LIVE_PER_ADDRESS_MAX\`)`],
  [
    'calls of a key',
    `${whole(TRANSPORT_LIMITS.callsPerSecondMax)} a second, ${whole(TRANSPORT_LIMITS.callsAtOnceMax)} after a pause`,
  ],
  ['time for a client to take a message', `${TRANSPORT_LIMITS.socketSendMs / 1000} s`],
  ['time for a socket to say what it wants', `${TRANSPORT_LIMITS.socketInitMs / 1000} s`],
])("the README's limit of %s is the code's", (what, limit) => {
  expect(readFileSync('README.md', 'utf8')).toContain(`| ${what} | ${limit} |`)
})

function whole(value: number): string {
  return value.toLocaleString('en-US')
}
