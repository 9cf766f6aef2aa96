// Rows of trackEvents that pass GraphQL's coercion as text are answered, refused and stored as if it had looked at each.
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { coerceInputValue, type GraphQLInputObjectType, parse } from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { JsonRows, parseRequest } from '../../server/json/rows.ts'
import { makeTypedRows } from '../../server/transport/typedRows.ts'
import { asJson, goodEvent, nearEvent } from './anyEvents.ts'
import { type Api, startApi } from './apiKit.ts'
import { makeMutationSchema } from './ingestKit.ts'

const RESULT = 'accepted duplicates rejected { index code path message }'
const TYPED = `mutation ($rows: [EventInput!]!) { trackEvents(events: $rows) { ${RESULT} } }`
const KEYED = `mutation ($rows: [EventInput!]!, $key: ID) { trackEvents(events: $rows, idempotencyKey: $key) { ${RESULT} } }`

const schema = makeMutationSchema()
const EventInput = schema.getType('EventInput') as GraphQLInputObjectType

/** The variables of a call as text; given twice, the rows are no text any more once they are read. */
const asText = (rows: unknown, key?: string) => JSON.stringify({ key, rows })
const asObjects = (rows: unknown, key?: string) =>
  asText(rows, key).replace(/\}$/, () => `,"rows":${JSON.stringify(rows)}}`)

const variablesOf = (text: string) =>
  (parseRequest(Buffer.from(`{"variables":${text}}`)) as { variables: Record<string, unknown> }).variables

describe('rows of a call', () => {
  const document = parse(TYPED)
  const pass = (rows: unknown) => makeTypedRows(schema).pass(document, variablesOf(asText(rows)))?.variableValues.rows

  it('are what coercion makes of them, and only those pass that it takes', () => {
    const typedRows = makeTypedRows(schema)
    let passed = 0
    fc.assert(
      fc.property(nearEvent.map(asJson), (row) => {
        const rows = typedRows.pass(document, variablesOf(asText([row])))?.variableValues.rows
        if (rows === undefined) return
        passed++
        // Throws where coercion refuses the row.
        expect([...(rows as JsonRows)]).toEqual([coerceInputValue(row, EventInput)])
      }),
      { numRuns: 3_000 },
    )
    expect(passed).toBeGreaterThan(300)
  })

  it('pass where nothing about them is wrong or far from usual', () => {
    // Ten digits may be too many, and money may be written in ways that are GraphQL's to read.
    const usualEvent = goodEvent
      .map(asJson)
      .filter(({ amount, sequenceNumber }) => typeof amount !== 'string' && String(sequenceNumber).length < 10)
    fc.assert(
      fc.property(fc.array(usualEvent, { minLength: 1, maxLength: 20 }), (rows) => {
        expect(pass(rows)).toBeInstanceOf(JsonRows)
      }),
    )
  })

  it.each([
    ['no type', {}],
    ['a null in place of the type', { type: null }],
    ['a second type that is null', '{"type":"x","type":null}'],
    ['a type inside of something else alone', { properties: { type: 'x' } }],
    ['a type inside of a text alone', { uri: '"type":"x",' }],
    ['a field there is not', { type: 'x', colour: 'red' }],
    ['a number for a text', { type: 'x', uri: 7 }],
    ['a text for a whole number', { type: 'x', sequenceNumber: '7' }],
    ['a whole number too large', { type: 'x', sequenceNumber: 2 ** 31 }],
    ['a list for a text', { type: 'x', uri: ['y'] }],
    ['a day there is not', { type: 'x', timestamp: '2026-02-30T00:00:00Z' }],
    ['an hour there is not', { type: 'x', timestamp: '2026-11-20T24:00:00Z' }],
    ['a time without its offset', { type: 'x', timestamp: '2026-11-20T10:00:00' }],
    ['money that is no number', { type: 'x', amount: 'much' }],
  ])('do not pass with %s among them', (_, row) => {
    const good = '{"type":"page_view"}'
    const rows = `[${good},${typeof row === 'string' ? row : JSON.stringify(row)},${good}]`
    expect(variablesOf(`{"rows":${rows}}`).rows).toBeInstanceOf(JsonRows)
    expect(makeTypedRows(schema).pass(document, variablesOf(`{"rows":${rows}}`))).toBeUndefined()
  })

  // Where a field could match in two ways, thirty of them could in a thousand million.
  it.each(['"properties":null', '"properties":{"a":null}', '"properties":[null,""]', '"uri":null', '"amount":"1"'])(
    'that say %s thirty times are looked at once',
    (field) => {
      const row = `{"type":"x",${`${field},`.repeat(30)}"colour":1}`
      expect(makeTypedRows(schema).pass(document, variablesOf(`{"rows":[${row}]}`))).toBeUndefined()
    },
  )
})

describe('a call', () => {
  const rows = [{ type: 'page_view' }]
  const passes = (query: string) => makeTypedRows(schema).pass(parse(query), variablesOf(asText(rows))) !== undefined

  it('passes whatever its variable and its field are called', () => {
    expect(passes('mutation A($rows: [EventInput!]!) { b: trackEvents(events: $rows) { accepted } }')).toBe(true)
    expect(passes(KEYED)).toBe(true)
  })

  it.each([
    ['has another operation beside it', `${TYPED.replace('mutation', 'mutation A')} query B { version }`],
    [
      'has a fragment',
      'mutation ($rows: [EventInput!]!) { ...F } fragment F on Mutation { trackEvents(events: $rows) { accepted } }',
    ],
    [
      'has two fields',
      'mutation ($rows: [EventInput!]!) { a: trackEvents(events: $rows) { accepted } b: trackEvents(events: $rows) { accepted } }',
    ],
    ['has a default', 'mutation ($rows: [EventInput!]! = []) { trackEvents(events: $rows) { accepted } }'],
    ['has the variable inside a list', 'mutation ($rows: EventInput!) { trackEvents(events: [$rows]) { accepted } }'],
    ['has a variable of another type', 'mutation ($rows: [EventInput!]) { trackEvents(events: $rows) { accepted } }'],
    ['has its rows in its text', 'mutation { trackEvents(events: [{ type: "x" }]) { accepted } }'],
    ['is another mutation', 'mutation ($rows: [MessageInput!]!) { postMessages(messages: $rows) { accepted } }'],
    ['is a query', 'query { version }'],
  ])('goes its own way where it %s', (_, query) => {
    expect(passes(query)).toBe(false)
  })

  it('goes its own way without the variable', () => {
    expect(makeTypedRows(schema).pass(parse(TYPED), {})).toBeUndefined()
  })
})

describe('over HTTP', () => {
  let api: Api

  beforeAll(async () => {
    api = await startApi()
  })
  afterAll(() => api.close())

  async function send(query: string, variables: string) {
    const response = await fetch(`${api.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': 'same' },
      body: `{"query":${JSON.stringify(query)},"variables":${variables}}`,
    })
    return { status: response.status, text: await response.text() }
  }

  const stored = async () => (await api.database.pool.query('delete from events returning *')).rows as { id: string }[]
  /** But for what is made anew for each: ids, and times of rows that bring none. */
  const content = (events: { id: string }[], startedMs: number) =>
    events
      .map((event) =>
        JSON.stringify(event, (name, value: unknown) =>
          name === 'id' ? undefined : name === 'created_at' && Date.parse(String(value)) >= startedMs ? 'now' : value,
        ),
      )
      .sort()

  it('any rows get the same answer, byte for byte, and are stored alike', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.array(goodEvent.map(asJson), { minLength: 1, maxLength: 10 }),
          fc.array(nearEvent.map(asJson), { minLength: 1, maxLength: 3 }),
        ),
        async (given) => {
          const rows = given.map((row) => ({
            ...row,
            ...('id' in row && typeof row.id === 'string' ? { id: `${row.id} ` } : {}),
          }))
          const startedMs = Date.now()
          const text = await send(TYPED, asText(rows))
          const fromText = content(await stored(), startedMs)
          expect(variablesOf(asObjects(rows)).rows).toEqual(rows)
          expect(text).toEqual(await send(TYPED, asObjects(rows)))
          expect(fromText).toEqual(content(await stored(), startedMs))
        },
      ),
      { numRuns: 150 },
    )
  }, 60_000)

  it.each([
    ['two fields', '{ a: ingestEvents(batch: $rows) { accepted } b: ingestEvents(batch: $rows) { accepted } }'],
    [
      'a fragment',
      '{ ... on Mutation { a: ingestEvents(batch: $rows) { accepted } b: ingestEvents(batch: $rows) { accepted } } }',
    ],
  ])('rows that %s take are there for both', async (_, selection) => {
    const rows = [{ type: 'page_view' }, { type: 'cart' }]
    const { text } = await send(`mutation ($rows: EventBatch!) ${selection}`, asText(rows))
    expect(JSON.parse(text)).toEqual({ data: { a: { accepted: 2 }, b: { accepted: 2 } } })
    expect(await stored()).toHaveLength(4)
  })

  it('rows that passed and rows that did not are the same to an idempotencyKey', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(goodEvent.map(asJson), { minLength: 1, maxLength: 5 }), async (rows) => {
        const key = randomUUID()
        const first = await send(KEYED, asText(rows, key))
        expect(first.text).toContain('"accepted"')
        expect(await stored()).toHaveLength(rows.length)
        expect(await send(KEYED, asObjects(rows, key))).toEqual(first)
        expect(await stored()).toEqual([])
      }),
      { numRuns: 50 },
    )
  }, 60_000)
})
