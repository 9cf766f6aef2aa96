// The two forms of events, trackEvents and ingestEvents, accept and reject the same rows; and nothing sent through either
// ends in anything but an answer. Random rows, through the real schema, onto a real database.
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseRequest } from '../../server/json/rows.ts'
import { anyEvent, anyJson, anyMoment, anyMoney, anyOther, anyText, anyUuid, asJson, goodEvent } from './anyEvents.ts'
import { type Answer, type Kit, makeKit, makeMutationSchema, mutate } from './ingestKit.ts'

const RESULT = 'accepted duplicates rejected { index code path }'
const TYPED = `mutation ($rows: [EventInput!]!) { trackEvents(events: $rows) { ${RESULT} } }`
const BATCH = `mutation ($rows: EventBatch!) { ingestEvents(batch: $rows) { ${RESULT} } }`

const schema = makeMutationSchema()
let kit: Kit

beforeAll(async () => {
  kit = await makeKit()
})

afterAll(async () => {
  expect(await kit.drift()).toBe(0)
  await kit.close()
})

/** As they come over HTTP: a batch stays text until it is checked. */
const send = (source: string, rows: unknown): Promise<Answer> => {
  const request = parseRequest(Buffer.from(JSON.stringify({ source, variables: { rows } })))
  return mutate(schema, kit.ingest, source, (request as { variables: Record<string, unknown> }).variables)
}

describe('an event', () => {
  it('is accepted or rejected alike in both forms, with the same code and path', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyEvent, { minLength: 1, maxLength: 30 }), async (events) => {
        // Other ids for the second form: the same ones would be duplicates.
        const rows = events.map(asJson)
        const without = rows.map((row) =>
          typeof row.id === 'string' && row.id.length === 36 ? { ...row, id: null } : row,
        )
        const batch = await send(BATCH, without)
        expect(batch.errors).toBeUndefined()
        const typed = await Promise.all(without.map((row) => send(TYPED, [row])))
        const refusals = new Map(batch.result?.rejected.map((rejected) => [rejected.index, rejected]))
        expect(batch.result?.accepted).toBe(rows.length - refusals.size)
        typed.forEach(({ errors, result }, index) => {
          const refusal = refusals.get(index)
          if (errors) {
            // What GraphQL's own coercion refuses whole; a row with two faults may be rejected for the other one.
            expect(refusal, String(errors[0]?.message)).toBeDefined()
          } else if (refusal) {
            expect(result?.rejected).toEqual([{ ...refusal, index: 0 }])
          } else {
            expect(result).toMatchObject({ accepted: 1, rejected: [] })
          }
        })
      }),
      { numRuns: 60 },
    )
  }, 60_000)

  it('is stored alike from both forms', async () => {
    await fc.assert(
      fc.asyncProperty(goodEvent, async (event) => {
        const ids = ['10000000', '20000000'].map((head) => head + randomUUID().slice(8))
        const timestamp = event.timestamp ?? new Date().toISOString()
        expect(await send(TYPED, [{ ...event, id: ids[0], timestamp }])).toMatchObject({ result: { accepted: 1 } })
        expect(await send(BATCH, [{ ...event, id: ids[1], timestamp }])).toMatchObject({ result: { accepted: 1 } })
        const [first] = await kit.rows('select * from events where id = $1', [ids[0]])
        const [second] = await kit.rows('select * from events where id = $1', [ids[1]])
        expect({ ...(second as object), id: ids[0] }).toEqual(first)
      }),
      { numRuns: 100 },
    )
  }, 60_000)
})

describe('any batch', () => {
  it('is answered with a full account, or BAD_REQUEST', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.array(fc.oneof(anyEvent, fc.object(), anyOther)), fc.jsonValue()), async (batch) => {
        const rows = JSON.parse(JSON.stringify(batch)) as unknown
        fc.pre(rows !== null)
        const { result, errors } = await send(BATCH, rows)
        if (errors) expect(errors[0]?.extensions?.code ?? errors[0]?.originalError).toBe('BAD_REQUEST')
        else
          expect(result && result.accepted + result.duplicates + result.rejected.length).toBe(
            (rows as unknown[]).length,
          )
      }),
      { numRuns: 100 },
    )
  }, 60_000)
})

const OTHERS: [string, string, fc.Arbitrary<Record<string, unknown>>][] = [
  [
    'registerUsers',
    'UserInput',
    fc.record({
      firstName: anyText,
      lastName: anyText,
      email: anyText,
      age: fc.integer({ min: -1, max: 140 }),
      gender: fc.constantFrom('M', 'F'),
      country: anyText,
      latitude: fc.double({ noNaN: true, noDefaultInfinity: true }),
      trafficSource: anyText,
      createdAt: fc.option(anyMoment),
    }),
  ],
  [
    'postMessages',
    'MessageInput',
    fc.record({
      severity: fc.constantFrom('DANGER'),
      title: anyText,
      text: anyText,
      payload: anyJson,
      at: fc.option(anyMoment),
    }),
  ],
  [
    'placeOrders',
    'OrderInput',
    fc.record({
      userId: anyUuid,
      items: fc.array(
        fc.record({ productId: fc.constantFrom('1', '2', '404', 'x', '1e3'), salePrice: fc.option(anyMoney) }),
        { maxLength: 4 },
      ),
      createdAt: fc.option(anyMoment),
    }),
  ],
  [
    'upsertProducts',
    'ProductInput',
    fc.record({
      id: fc.constantFrom('1000', '1001', '0', '-1', '99999999999', 'x'),
      cost: anyMoney,
      category: anyText,
      name: anyText,
      brand: anyText,
      retailPrice: anyMoney,
      department: anyText,
      sku: anyText,
      distributionCenterId: fc.constantFrom('1', '2'),
    }),
  ],
]

describe.each(OTHERS)('%s', (field, input, arbitrary) => {
  it('answers any rows with a full account, or refuses the call as GraphQL does', async () => {
    const [argument] =
      schema
        .getMutationType()
        ?.getFields()
        [field]?.args.filter(({ name }) => name !== 'idempotencyKey') ?? []
    const source = `mutation ($rows: [${input}!]!) { ${field}(${argument?.name}: $rows) { ${RESULT} } }`
    await fc.assert(
      fc.asyncProperty(fc.array(arbitrary, { maxLength: 5 }), async (rows) => {
        const { result, errors } = await send(source, rows.map(asJson))
        if (errors) expect(errors[0]?.message).toMatch(/^Variable "\$rows" got invalid value/)
        else expect(result && result.accepted + result.duplicates + result.rejected.length).toBe(rows.length)
      }),
      { numRuns: 60 },
    )
  }, 60_000)
})
