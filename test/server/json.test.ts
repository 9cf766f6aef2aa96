// Requests whose rows stay text mean what JSON.parse says they mean, and fail where it fails.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JsonRows, parseRequest } from '../../server/json/rows.ts'

interface Request {
  variables: Record<string, unknown>
}

const parse = (text: string) => parseRequest(Buffer.from(text)) as Request
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
const failure = (run: () => unknown): string | undefined => {
  try {
    run()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

const anyText = fc.string({ unit: 'binary', maxLength: 10 })
const anyRow = fc.dictionary(
  fc.oneof(fc.constantFrom('type', 'uri', '__proto__'), anyText),
  fc.oneof(anyText, fc.jsonValue({ maxDepth: 6 })),
)
const anyRequest = fc.record({
  query: anyText,
  variables: fc.record({ key: anyText, rows: fc.array(anyRow), more: fc.jsonValue() }),
  extensions: fc.jsonValue(),
})
const anySpace = fc.constantFrom(undefined, 1, '\t', ' \n')

describe('a request', () => {
  it('is what JSON.parse makes of it', () => {
    fc.assert(
      fc.property(anyRequest, anySpace, (request, space) => {
        const text = JSON.stringify(request, undefined, space)
        expect(asJson(parse(text))).toEqual(asJson(JSON.parse(text)))
      }),
      { numRuns: 1_000 },
    )
  })

  it('fails as JSON.parse does where a piece of it is cut out or doubled', () => {
    const wrong = fc.tuple(anyRequest, anySpace, fc.nat(), fc.integer({ min: -3, max: 3 }))
    fc.assert(
      fc.property(wrong, ([request, space, place, count]) => {
        const text = JSON.stringify(request, undefined, space)
        const at = place % text.length
        const spoiled = Buffer.from(text.slice(0, at) + text.slice(Math.max(0, at + count))).toString()
        expect(failure(() => parse(spoiled))).toBe(failure(() => JSON.parse(spoiled)))
        if (failure(() => JSON.parse(spoiled)) === undefined) {
          expect(asJson(parse(spoiled))).toEqual(asJson(JSON.parse(spoiled)))
        }
      }),
      { numRuns: 2_000 },
    )
  })

  const rowsOf = (text: string) => parse(text).variables.rows

  it('keeps rows as text, also those longer than what is looked at in one piece', () => {
    const rows = Array.from({ length: 500 }, (_, at) => ({
      type: 'é'.repeat(at),
      at,
      nested: { list: [null, -1.5e3] },
    }))
    const taken = rowsOf(JSON.stringify({ variables: { key: 'k', rows } }))
    expect(taken).toBeInstanceOf(JsonRows)
    expect([...(taken as JsonRows)]).toEqual(rows)
  })

  it.each([
    ['a list of other things', '{"variables":{"rows":[{"a":1},2]}}'],
    ['an empty list', '{"variables":{"rows":[]}}'],
    ['a name that comes twice', '{"variables":{"rows":[{"a":1}],"rows":[{"b":2}]}}'],
    ['variables that come twice', '{"variables":{"rows":[{"a":1}]},"variables":{"rows":[{"b":2}]}}'],
    ['a list further in', '{"variables":{"filter":{"rows":[{"a":1}]}}}'],
    ['a row of 40 kB', `{"variables":{"rows":[{"a":"${'x'.repeat(40_000)}"}]}}`],
    ['a row nested deeper than is looked', `{"variables":{"rows":[{"a":${'['.repeat(9)}${']'.repeat(9)}}]}}`],
  ])('leaves %s to JSON.parse', (_, text) => {
    expect(parse(text)).toEqual(JSON.parse(text))
    expect(rowsOf(text)).not.toBeInstanceOf(JsonRows)
  })

  it('can let go of the text of its rows, which nobody then takes for none', () => {
    const rows = rowsOf('{"variables":{"rows":[{"a":1}]}}') as JsonRows
    const others = rows.as((row) => row)
    rows.release()
    expect(rows).toHaveLength(1)
    expect(() => rows.row(0)).toThrow('let go')
    expect(() => [...others]).toThrow('let go')
  })

  it('is never of rows where its bytes are no UTF-8', () => {
    const body = Buffer.concat([Buffer.from('{"variables":{"rows":[{"a":"'), Buffer.from([0xff]), Buffer.from('"}]}}')])
    expect(parseRequest(body)).toEqual({ variables: { rows: [{ a: '\ufffd' }] } })
  })
})
