// Whatever is sent, the caller gets an answer with a code, the process lives, and the stream of someone else misses nothing.
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import type { Socket } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import WebSocket from 'ws'
import { type Api, type Json, postMessages, type Reading, startApi } from './apiKit.ts'

const numRuns = Number(process.env.PROPERTY_RUNS ?? 80)

let api: Api
let bystander: Reading<Json>
let posted = 0

beforeAll(async () => {
  api = await startApi()
  bystander = api.watch('subscription { messages { kind messages { title } } }')
  await bystander.next()
})
afterAll(async () => {
  bystander.close()
  await api.close()
})

/** Someone else's stream goes on, without a gap, and nothing was the server's own fault. */
async function expectCalm(): Promise<void> {
  const title = `calm ${++posted}`
  await postMessages(api, 'SUCCESS', [title])
  const { kind, messages } = await bystander.next()
  expect({ kind, messages }).toEqual({ kind: 'DELTA', messages: [{ title }] })
  expect(api.logged.filter(({ level }) => level >= 50)).toEqual([])
}

const words = [
  ...[
    '{',
    '}',
    '(',
    ')',
    '[',
    ']',
    '!',
    ':',
    '...',
    '@',
    '$',
    '=',
    '|',
    '&',
    '"',
    '"""',
    '#',
    ',',
    '\\',
    '\u0000',
    '\ufeff',
  ],
  ...[
    'query',
    'mutation',
    'subscription',
    'fragment',
    'on',
    'F',
    'true',
    'null',
    '-1',
    '1e999',
    '9'.repeat(40),
    '"PT1M"',
  ],
  ...[
    'metrics',
    'metrics:',
    '[REVENUE]',
    'window:',
    'stats',
    'at',
    '__typename',
    '__schema',
    'types',
    'users',
    'first:',
  ],
  ...[
    'nodes',
    'trackEvents',
    'events:',
    'type:',
    'node',
    'id:',
    'orders',
    'messages',
    'kind',
    'after:',
    '@skip(if: true)',
  ],
]
const valid = [
  '{ metrics(metrics: [REVENUE], window: "PT1M", by: COUNTRY) { totals { value } breakdown { key values } } }',
  'query ($first: Int) { users(first: $first) { nodes { userId orders(first: 2) { nodes { orderId } } } pageInfo { endCursor } } }',
  'mutation { trackEvents(events: [{ type: "page_view" }]) { accepted rejected { code path } } }',
  'subscription { messages(severities: [DANGER]) { kind cursor } }',
  '{ __schema { types { name fields { name type { name ofType { name } } } } } }',
]
/** From noise, over words of the language, to operations with a few characters changed. */
const documents = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.array(fc.constantFrom(...words), { maxLength: 60 }).map((parts) => parts.join(' ')),
  fc
    .tuple(fc.constantFrom(...valid), fc.nat(), fc.nat({ max: 8 }), fc.constantFrom('', ...words))
    .map(([text, at, cut, put]) => text.slice(0, at % text.length) + put + text.slice((at % text.length) + cut)),
)
const variables = fc.option(fc.dictionary(fc.constantFrom('first', 'events', 'x', '__proto__'), fc.jsonValue()))

test('documents over HTTP', async () => {
  await fc.assert(
    fc.asyncProperty(documents, variables, fc.jsonValue(), async (query, given, operationName) => {
      const response = await fetch(`${api.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
        body: JSON.stringify({ query, variables: given, operationName }),
      })
      const { data, errors } = (await response.json()) as Json
      if (response.status !== 200) expect(data ?? null).toBeNull()
      expect(response.status).toBeLessThan(500)
      for (const { extensions } of errors ?? []) {
        expect(extensions).toMatchObject({
          code: expect.stringMatching(/^(BAD_REQUEST|PAYLOAD_TOO_LARGE)$/),
          requestId: expect.any(String),
        })
      }
    }),
    { numRuns },
  )
  await expectCalm()
})

test('bodies and headers that are no operation', async () => {
  const header = fc.constantFrom('content-type', 'accept', 'authorization', 'origin', 'x-request-id', 'x-forwarded-for')
  const value = fc.string({ unit: fc.constantFrom(...'aZ0 ,;=/*"\'<>{}'), maxLength: 40 }).map((text) => text.trim())
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.json().map((text) => Buffer.from(text)),
  )
  const path = fc.constantFrom(
    '/graphql',
    '/',
    '/metrics',
    '/ready',
    '/graphql?query={',
    '/%00',
    '//x',
    '/graphql?variables=',
  )
  await fc.assert(
    fc.asyncProperty(
      path,
      fc.constantFrom('GET', 'POST', 'PUT', 'OPTIONS', 'HEAD'),
      fc.dictionary(header, value),
      body,
      async (to, method, headers, bytes) => {
        const sent = httpRequest(new URL(api.url), {
          path: to,
          method,
          headers: { 'content-type': 'application/json', ...headers },
        })
        sent.on('error', () => undefined)
        if (method === 'POST') sent.write(bytes)
        sent.end()
        const [response] = await once(sent, 'response')
        response.resume()
        // 503: the dashboard is not built here.
        expect(response.statusCode === 503 || response.statusCode < 500).toBe(true)
      },
    ),
    { numRuns },
  )
  await expectCalm()
})

test('messages on sockets: what is no protocol closes its own socket, with a code of the protocol', async () => {
  const type = fc.constantFrom('connection_init', 'subscribe', 'complete', 'ping', 'pong', 'next', 'error', 'start', '')
  const message = fc.oneof(
    fc.record(
      {
        id: fc.oneof(fc.constantFrom('1', '2', ''), fc.jsonValue()),
        type,
        payload: fc.oneof(fc.jsonValue(), fc.record({ query: documents, variables }, { requiredKeys: ['query'] })),
      },
      { requiredKeys: ['type'] },
    ),
    fc.jsonValue(),
  )
  const sent = fc.oneof(
    { weight: 6, arbitrary: message.map((each) => JSON.stringify(each)) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 100 }) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 100 }) },
  )
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.array(sent, { minLength: 1, maxLength: 12 }), async (initialised, messages) => {
      const socket = new WebSocket(`${api.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
      const closed = once(socket, 'close')
      socket.on('error', () => undefined)
      await once(socket, 'open')
      if (initialised) socket.send('{"type":"connection_init"}')
      for (const each of messages) socket.send(each)
      socket.close(1000)
      const [code] = await closed
      expect([1000, 1005, 1006, 1007, 4400, 4401, 4406, 4409, 4429]).toContain(code)
    }),
    { numRuns },
  )
  await expectCalm()
  await expect.poll(() => api.streams().subscribers).toBe(1)
})

test('frames that are no frames', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 2, maxLength: 400 }), async (bytes) => {
      const socket = new WebSocket(`${api.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
      socket.on('error', () => undefined)
      await once(socket, 'open')
      const closed = once(socket, 'close')
      // Past ws' own framing, straight into the connection.
      const { _socket: connection } = socket as unknown as { _socket: Socket }
      connection.write(bytes)
      connection.end()
      await closed
    }),
    { numRuns: Math.ceil(numRuns / 2) },
  )
  await expectCalm()
})
