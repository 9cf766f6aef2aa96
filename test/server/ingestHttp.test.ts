// Whatever comes over HTTP as rows, in either form: an answer that accounts for all of it or a refusal of the whole call;
// never a fault of the server, and never a row by half.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Api, startApi } from './apiKit.ts'

const RESULT = 'accepted duplicates rejected { index code path message }'
const BATCH = `mutation ($rows: EventBatch!) { result: ingestEvents(batch: $rows) { ${RESULT} } }`
const TYPED = `mutation ($rows: [EventInput!]!) { result: trackEvents(events: $rows) { ${RESULT} } }`

let api: Api

beforeAll(async () => {
  api = await startApi()
})
afterAll(() => api.close())

interface Said {
  status: number
  code?: string
  result?: { accepted: number; duplicates: number; rejected: { index: number; code: string; path: string[] }[] }
}

/** `rows` is the text of their JSON, whatever it holds. */
async function send(query: string, rows: string): Promise<Said> {
  const response = await fetch(`${api.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
    body: `{"query":${JSON.stringify(query)},"variables":{"rows":${rows}}}`,
  })
  const { data, errors } = (await response.json()) as {
    data?: { result: Said['result'] }
    errors?: { extensions: { code: string } }[]
  }
  return { status: response.status, code: errors?.[0]?.extensions.code, result: data?.result }
}

const stored = async () => Number((await api.database.pool.query('select count(*) from events')).rows[0].count)
const good = '{"type":"page_view"}'
const today = new Date().toISOString().slice(0, 10)

test.each([
  ['a prototype key', '{"type":"x","__proto__":{"admin":true}}', 'INVALID'],
  ['a constructor', '{"type":"x","constructor":{"prototype":1}}', 'INVALID'],
  ['a NUL', '{"type":"x\\u0000y"}', 'INVALID'],
  ['half of a surrogate pair', '{"type":"x","country":"\\ud800"}', 'INVALID'],
  ['a number for a text', '{"type":17}', 'INVALID'],
  ['a number beyond all', '{"type":"x","amount":1e999}', 'INVALID'],
  ['a number of 400 digits', `{"type":"x","sequenceNumber":${'9'.repeat(400)}}`, 'INVALID'],
  ['a text of 7 MB', `{"type":"x","uri":"${'a'.repeat(7_000_000)}"}`, 'TOO_LARGE'],
  ['JSON a million levels deep', `{"type":"x","properties":${'['.repeat(1e6)}${']'.repeat(1e6)}}`, 'TOO_LARGE'],
  ['the year 1', '{"type":"x","timestamp":"0001-01-01T00:00:00.000Z"}', 'TOO_OLD'],
  ['the year 75', '{"type":"x","timestamp":"0075-01-01T00:00:00.000Z"}', 'TOO_OLD'],
  ['the year 9999', '{"type":"x","timestamp":"9999-12-31T23:59:59.999Z"}', 'FUTURE_TIMESTAMP'],
  ['a day there is not', '{"type":"x","timestamp":"2026-02-30T00:00:00.000Z"}', 'INVALID'],
  ['an hour there is not', `{"type":"x","timestamp":"${today}T24:00:00.000Z"}`, 'INVALID'],
  ['a minute there is not', `{"type":"x","timestamp":"${today}T00:60:00.000Z"}`, 'INVALID'],
])('%s costs its own row, and no other of the batch', async (_, row, code) => {
  const before = await stored()
  const { status, result } = await send(BATCH, `[${good},${row},${good}]`)
  expect({ status, result }).toMatchObject({ status: 200, result: { accepted: 2, rejected: [{ index: 1, code }] } })
  expect(await stored()).toBe(before + 2)
  // In the typed form GraphQL itself may refuse it, and then the whole call.
  const typed = await send(TYPED, `[${good},${row},${good}]`)
  if (typed.result) expect(typed.result).toMatchObject({ accepted: 2, rejected: [{ index: 1, code }] })
  else expect(typed).toMatchObject({ status: 400, code: 'BAD_REQUEST' })
  expect(await stored()).toBe(before + (typed.result ? 4 : 2))
})

test('a body of 10 MB is refused whole, and the server goes on', async () => {
  expect(await send(BATCH, `[{"type":"${'a'.repeat(10_000_000)}"}]`)).toMatchObject({
    status: 413,
    code: 'PAYLOAD_TOO_LARGE',
  })
  expect((await send(BATCH, `[${good}]`)).result?.accepted).toBe(1)
})

test('any JSON at all, in both forms, is answered with a full account or refused whole', async () => {
  const anyRow = fc.oneof(
    { weight: 2, arbitrary: fc.constant({ type: 'page_view' }) },
    fc.dictionary(
      fc.constantFrom('type', 'timestamp', 'userId', 'amount', 'properties', 'uri', '__proto__', 'x'),
      fc.jsonValue(),
    ),
    fc.jsonValue(),
  )
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.array(anyRow, { maxLength: 8 }), fc.jsonValue()), async (rows) => {
      for (const query of [BATCH, TYPED]) {
        const before = await stored()
        const { status, code, result } = await send(query, JSON.stringify(rows))
        if (result) {
          // A single row in place of a list is taken as a list of one, as GraphQL says.
          const sent = Array.isArray(rows) ? rows.length : 1
          expect(result.accepted + result.duplicates + result.rejected.length).toBe(sent)
        } else expect({ status, code }).toEqual({ status: 400, code: 'BAD_REQUEST' })
        expect(await stored()).toBe(before + (result?.accepted ?? 0))
      }
    }),
    { numRuns: 150 },
  )
})
