import { randomUUID } from 'node:crypto'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeRejectLog } from '../../server/ingest/rejectLog.ts'
import { nameStreamEvents } from '../../server/prometheus/streams.ts'
import { makeSlot } from '../../server/windows/slot.ts'
import type { MetricsUpdate } from '../../server/windows/types.ts'
import type { RejectedRow, RejectionCode } from '../../server/writer/call.ts'
import { type Api, startApi } from './apiKit.ts'

const BATCH = `mutation ($rows: EventBatch!, $key: ID) {
  ingestEvents(batch: $rows, idempotencyKey: $key) { accepted duplicates rejected { code } }
}`
const TYPED = `mutation ($rows: [EventInput!]!) { trackEvents(events: $rows) { accepted } }`

let api: Api

beforeAll(async () => {
  api = await startApi()
})
afterAll(() => api.close())

/** Every line of /metrics that is a figure, by its name and labels. */
async function figures(): Promise<Record<string, number>> {
  const response = await fetch(`${api.url}/metrics`)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return Object.fromEntries(
    lines.map((line) => {
      const space = line.lastIndexOf(' ')
      return [line.slice(0, space), Number(line.slice(space + 1))]
    }),
  )
}

test('rows are counted by mutation and outcome, rejections by code, and calls by how they ended', async () => {
  const id = randomUUID()
  const key = randomUUID()
  const rows = [
    { type: 'page_view' },
    { id, type: 'page_view' },
    { type: '' },
    { type: 'x', timestamp: '2999-01-01T00:00:00Z' },
  ]
  await api.post(BATCH, { rows, key })
  await api.post(BATCH, { rows, key })
  await api.post(BATCH, { rows: [{ id, type: 'page_view' }] })
  await api.post(BATCH, { rows: 'no rows' })
  await api.post(TYPED, { rows: [{ type: 'page_view' }] })

  expect(await figures()).toMatchObject({
    'lookout_rows_total{mutation="ingestEvents",outcome="accepted"}': 2,
    // The id of before, and the two that the repeated call had written.
    'lookout_rows_total{mutation="ingestEvents",outcome="duplicate"}': 3,
    'lookout_rows_total{mutation="ingestEvents",outcome="rejected"}': 4,
    'lookout_rows_rejected_total{mutation="ingestEvents",code="INVALID"}': 2,
    'lookout_rows_rejected_total{mutation="ingestEvents",code="FUTURE_TIMESTAMP"}': 2,
    'lookout_calls_total{mutation="ingestEvents",outcome="answered"}': 3,
    'lookout_calls_total{mutation="ingestEvents",outcome="BAD_REQUEST"}': 1,
    'lookout_acknowledgement_seconds_count{mutation="ingestEvents"}': 3,
    'lookout_rows_total{mutation="trackEvents",outcome="accepted"}': 1,
    lookout_commit_seconds_count: 4,
    lookout_commit_rows_sum: 6,
    lookout_queue_rows: 0,
    lookout_queue_rows_max: 100_000,
    lookout_queue_bytes: 0,
    lookout_writer_ready: 1,
  })
})

test('the process tells of its memory and its event loop', async () => {
  const told = await figures()
  expect(told.process_resident_memory_bytes).toBeGreaterThan(10_000_000)
  expect(told.nodejs_eventloop_lag_p99_seconds).toBeGreaterThan(0)
})

test('rejected rows are sampled in the log: counted, by field, without a value or a name of the caller’s', () => {
  const lines: Record<string, unknown>[] = []
  let nowMs = 1_000_000
  const log = pino(
    { base: null },
    { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  )
  const tell = makeRejectLog({ log, clock: () => nowMs }, { lineIntervalMs: 10_000 })
  const reject = (mutation: string, ...faults: [RejectionCode, ...string[]][]) => {
    const rejected = faults.map(([code, ...path], index): RejectedRow => ({
      index,
      code,
      path,
      message: 'ada@example.com must not …',
    }))
    tell({ mutation, tookMs: 1, answer: { result: { accepted: 0, duplicates: 0, rejected }, repeated: false } })
  }
  reject('ingestEvents', ['INVALID', 'ada@example.com'], ['INVALID', 'country'], ['TOO_LARGE', 'uri'])
  reject('placeOrders', ['UNKNOWN_REFERENCE', 'items', '0', 'productId'])
  reject('ingestEvents', ['INVALID', 'country'])
  nowMs += 10_000
  reject('ingestEvents', ['INVALID', 'country'])

  expect(lines.map(({ mutation, code, path, rows }) => [mutation, code, path, rows])).toEqual([
    ['ingestEvents', 'INVALID', '(no field of an event)', 2],
    ['ingestEvents', 'TOO_LARGE', 'uri', 1],
    ['placeOrders', 'UNKNOWN_REFERENCE', 'items.0.productId', 1],
    ['ingestEvents', 'INVALID', 'country', 2],
  ])
  expect(JSON.stringify(lines)).not.toContain('ada')
})

test('streams are counted, with what they share, how resuming went, and why sockets closed', async () => {
  const query = `subscription ($after: Cursor) {
    metrics(metrics: [EVENTS], window: "PT1M", every: "PT0.05S", after: $after) { kind cursor }
  }`
  const before = await figures()
  const [one, other] = [api.watch(query), api.watchBySse(query)]
  const { cursor } = await one.next()
  await other.next()
  expect(await figures()).toMatchObject({
    lookout_streams: 2,
    lookout_streams_shared: 1,
    lookout_sockets: 1,
    lookout_sse_streams: 1,
  })
  await api.post(BATCH, { rows: [{ type: 'page_view' }] })
  expect(await one.next()).toMatchObject({ kind: 'DELTA' })
  const back = api.watch(query, { after: cursor })
  expect(await back.next()).toMatchObject({ kind: 'DELTA' })
  const elsewhere = api.watch(query.replace('PT1M', 'PT2M'), { after: cursor })
  expect(await elsewhere.next()).toMatchObject({ kind: 'SNAPSHOT' })
  const rows = api.watch('subscription { messages { kind } }')
  await rows.next()
  await api.post(`mutation { postMessages(messages: [{ severity: DANGER, title: "a" }]) { accepted } }`)
  await rows.next()
  const failed = api.watchBySse('subscription { messages(after: "nonsense") { kind } }')
  await expect(failed.next()).rejects.toBeDefined()
  for (const stream of [one, other, back, elsewhere, rows]) stream.close()
  await expect.poll(figures).toMatchObject({ lookout_sockets: 0, lookout_sse_streams: 0 })
  const after = await figures()
  const grown = (name: string) => (after[name] ?? 0) - (before[name] ?? 0)
  expect(grown('lookout_resumes_total{outcome="resumed"}')).toBe(1)
  expect(grown('lookout_resumes_total{outcome="snapshot"}')).toBe(1)
  expect(grown('lookout_sockets_closed_total{reason="client"}')).toBe(4)
  expect(grown('lookout_sse_closed_total{reason="client"}')).toBe(1)
  expect(grown('lookout_sse_closed_total{reason="complete"}')).toBe(1)
  expect(grown('lookout_send_lag_seconds_count{stream="windows"}')).toBeGreaterThan(0)
  expect(grown('lookout_send_lag_seconds_count{stream="rows"}')).toBe(1)
})

test('messages that wait for a slow reader are merged, and counted', async () => {
  const registry = new Registry()
  const { onStreamEvent } = nameStreamEvents(registry)
  const slot = makeSlot({
    onStart: () => undefined,
    onEnd: () => undefined,
    onMerge: () => onStreamEvent({ is: 'conflated' }),
  })
  const message = { kind: 'SNAPSHOT' } as MetricsUpdate
  for (let sent = 0; sent < 3; sent++) slot.offer({ ...message })
  expect(await registry.metrics()).toContain('lookout_messages_conflated_total 2')
})
