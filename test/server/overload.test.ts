// More than the server takes: callers are told when to come back, what was taken is kept, and others hardly notice.
import { once } from 'node:events'
import { Agent, type IncomingMessage, request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import type pg from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { LOAD_OPTIONS, runLoad } from '../../load/load.ts'
import { type Api, type Json, startApi } from './apiKit.ts'

const BATCH = `mutation ($rows: EventBatch!) { ingestEvents(batch: $rows) { accepted } }`
const limits = { bodiesBytesMax: 300_000 }
const queueRowsMax = 2_000

let api: Api

beforeAll(async () => {
  api = await startApi({ transport: { limits }, writer: { queueRowsMax, groupRowsMax: 500, connections: 1 } })
})
afterAll(() => api.close())

/** Nothing can be written until it is released. */
async function blockWriting(): Promise<{ release(): Promise<void> }> {
  const client: pg.Client = await api.database.connect()
  await client.query('begin; lock table events in share mode')
  let released: Promise<void> | undefined
  const release = () => (released ??= client.query('commit').then(() => client.end()))
  onTestFinished(release)
  return { release }
}

const rowsOf = (count: number) => Array.from({ length: count }, (_, at) => ({ type: 'page_view', uri: `/${at}` }))

async function post(body: string, agent?: Agent): Promise<{ response: IncomingMessage; answer: Json }> {
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  const sent = httpRequest(`${api.url}/graphql`, { method: 'POST', headers, agent })
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  let text = ''
  for await (const chunk of response) text += String(chunk)
  return { response, answer: JSON.parse(text) }
}

test('while the queue is full a large body is not even parsed, and its connection lives on', async () => {
  const { release } = await blockWriting()
  // The first call is taken whatever its size; it fills the queue.
  const first = api.post(BATCH, { rows: rowsOf(queueRowsMax + 1) })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  const noJson = 'x'.repeat(200_000)
  for (;;) {
    const { response, answer } = await post(noJson, agent)
    if (answer.errors[0].extensions.code === 'BAD_REQUEST') continue
    expect(answer.errors[0].extensions).toMatchObject({ code: 'OVERLOADED', retryAfterMs: expect.any(Number) })
    expect(response.statusCode).toBe(503)
    expect(Number(response.headers['retry-after'])).toBeGreaterThan(0)
    expect(response.headers.connection).toBe('keep-alive')
    break
  }
  expect((await post(JSON.stringify({ query: '{ stats { queueRows } }' }), agent)).answer.data.stats.queueRows).toBe(
    2_001,
  )
  await release()
  expect((await first).data.ingestEvents.accepted).toBe(2_001)
  const { answer } = await post(JSON.stringify({ query: BATCH, variables: { rows: rowsOf(2_000) } }), agent)
  expect(answer.data.ingestEvents.accepted).toBe(2_000)
})

test('slow clients with giant bodies cost the others nothing, and are bounded together', async () => {
  const { port } = new URL(api.url)
  const head = `POST /graphql HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\ncontent-length: 4000000\r\n\r\n`
  const slow = Array.from({ length: 3 }, () => {
    const socket = connect(Number(port), '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write(head + 'x'.repeat(150_000))
    return socket
  })
  onTestFinished(() => slow.forEach((socket) => socket.destroy()))
  const large = JSON.stringify({ query: BATCH, variables: { rows: rowsOf(2_000) } })
  for (;;) {
    const { answer } = await post(large)
    if (answer.data) continue
    expect(answer.errors[0].extensions).toMatchObject({ code: 'OVERLOADED', retryAfterMs: 500 })
    break
  }
  // A body of usual size is not asked to wait.
  expect((await api.post(BATCH, { rows: rowsOf(100) })).data.ingestEvents.accepted).toBe(100)
  for (const socket of slow) socket.destroy()
  for (;;) {
    const { answer } = await post(large)
    if (answer.data) break
  }
})

test('headers that do not come to an end are cut off', async () => {
  const impatient = await startApi({ database: api.database, transport: { limits: { headersMs: 200 } } })
  onTestFinished(() => impatient.close())
  const socket = connect(Number(new URL(impatient.url).port), '127.0.0.1')
  socket.write('POST /graphql HTTP/1.1\r\nhost: x\r\n')
  let said = ''
  socket.on('data', (chunk: Buffer) => (said += chunk.toString()))
  await once(socket, 'close')
  expect(said).toContain('408 Request Timeout')
})

test('at three times what it can write, what it took is kept, once, and the queue stays within its bound', async () => {
  // A statement takes 50 ms at least, so 500 rows a group make 10,000 rows a second at most, on any machine.
  await api.database.pool.query(`
    create function slow() returns trigger language plpgsql as 'begin perform pg_sleep(0.05); return null; end';
    create trigger slow after insert on events for each statement execute function slow()`)
  const queued: number[] = []
  const options = { ...LOAD_OPTIONS, url: `${api.url}/graphql`, ratePerSecond: 30_000, rowsPerCall: 250, seconds: 3 }
  const result = await runLoad(options, async () => {
    queued.push((await api.post('{ stats { queueRows } }')).data.stats.queueRows)
  })
  expect(result.failedCalls.OVERLOADED).toBeGreaterThan(0)
  expect(Object.keys(result.failedCalls)).toEqual(['OVERLOADED'])
  expect(result.rows.accepted).toBeGreaterThan(500)
  expect(result).toMatchObject({ exact: true, counted: result.rows.accepted, rows: { unknown: 0, rejected: 0 } })
  expect(Math.max(...queued)).toBeLessThanOrEqual(queueRowsMax)
})
