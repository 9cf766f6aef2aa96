// Events at random: those that are right, those that are nearly, and anything else.
import fc from 'fast-check'

export const anyText = fc.oneof(
  { weight: 60, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  fc.constantFrom('', '\0', '\\N', '\\.', '\t', '\n', '\ud800', 'a\udfffb', '🦉', 'x'.repeat(65), 'y'.repeat(2_049)),
)
export const anyJson = fc.oneof(fc.jsonValue({ maxDepth: 4 }), anyText, fc.dictionary(anyText, anyText, { maxKeys: 3 }))
export const anyUuid = fc.oneof(
  { weight: 3, arbitrary: fc.uuid() },
  fc.uuid().map((id) => id.toUpperCase()),
  fc.constantFrom('', 'me', '{7d444840-9dc0-11d1-b245-5ffdce74fad2}', '7d4448409dc011d1b2455ffdce74fad2'),
)
export const anyMoment = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.integer({ min: -40 * 86_400, max: 600 }).map((s) => new Date(Date.now() + s * 1000).toISOString()),
  },
  fc
    .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    .map((date) => date.toISOString()),
  fc.constantFrom(
    '2026-02-30T00:00:00Z',
    '2026-11-20',
    '2026-11-20T10:00:00',
    '2026-11-20t10:00:00.5+14:00',
    '2026-11-20T23:59:60.000Z',
    '2026-11-20T24:00:00.000Z',
    '2026-13-01T00:00:00.000Z',
    '0000-01-01T00:00:00.000Z',
    '+010000-01-01T00:00:00.000Z',
  ),
)
const anyNumber = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.constantFrom(0, -0, 1e21, 1e-7, 2 ** 31, -(2 ** 31), Number.NaN, Number.POSITIVE_INFINITY),
)
export const anyMoney = fc.oneof(
  anyNumber,
  fc.integer({ min: -1e6, max: 1e6 }).map((cents) => cents / 100),
  fc.constantFrom(
    '1.00',
    '1.000',
    '1.001',
    '.5',
    '5.',
    '1e3',
    '-0',
    ' 7 ',
    '9999999999.99',
    '10000000000',
    'NaN',
    '1,5',
    '',
  ),
)
export const anyOther = fc.oneof(fc.boolean(), fc.constantFrom(null, [], {}, ['x'], { a: 1 }), anyNumber, anyText)
/** Mostly what belongs there, sometimes anything, often nothing. */
export const field = (fitting: fc.Arbitrary<unknown>) =>
  fc.option(fc.oneof({ weight: 8, arbitrary: fitting }, { weight: 1, arbitrary: anyOther }), {
    nil: undefined,
    freq: 3,
  })

const anyEventFields = {
  id: field(anyUuid),
  type: fc.oneof({ weight: 20, arbitrary: fc.constantFrom('page_view', 'cart', 'purchase') }, anyText, anyOther),
  timestamp: field(anyMoment),
  userId: field(anyUuid),
  sessionId: field(anyUuid),
  sequenceNumber: field(anyNumber),
  country: field(anyText),
  state: field(anyText),
  city: field(anyText),
  postalCode: field(anyText),
  ipAddress: field(anyText),
  browser: field(anyText),
  trafficSource: field(anyText),
  uri: field(anyText),
  amount: field(anyMoney),
  properties: field(anyJson),
  colour: fc.option(fc.constant('red'), { nil: undefined, freq: 40 }),
}
export const anyEvent = fc.record(anyEventFields)

/** Nothing wrong with it, and nothing usual. */
const goodText = fc.string({ unit: 'binary', maxLength: 30 }).map((text) => text.replaceAll('\0', '\\'))
const goodJson = fc.jsonValue({ maxDepth: 4, stringUnit: 'grapheme' })
const maybe = (fitting: fc.Arbitrary<unknown>) => fc.option(fitting, { freq: 5 })
export const goodEvent = fc.record({
  type: fc.constantFrom('page_view', 'purchase', '\\N'),
  timestamp: maybe(
    fc
      .integer({ min: -86_400_000, max: 0 })
      .map((ms) => new Date(Date.now() + ms).toISOString().replace('Z', '123+00:00')),
  ),
  userId: maybe(fc.uuid().map((id) => id.toUpperCase())),
  sessionId: maybe(fc.uuid()),
  sequenceNumber: maybe(fc.nat()),
  country: maybe(goodText),
  city: maybe(goodText),
  uri: maybe(goodText),
  amount: maybe(
    fc.oneof(
      fc.integer({ min: -1e6, max: 1e6 }).map((cents) => cents / 100),
      fc.constantFrom('5.', ' 1e3 ', '007.100'),
    ),
  ),
  properties: maybe(goodJson),
})

/** As a client's JSON carries it: no undefined, no NaN. */
export const asJson = (row: object): Record<string, unknown> =>
  JSON.parse(JSON.stringify(row)) as Record<string, unknown>

/** Right but for a field or two that may be anything. */
export const nearEvent = fc
  .tuple(goodEvent, anyEvent, fc.subarray(Object.keys(anyEventFields), { minLength: 1, maxLength: 2 }))
  .map(([good, any, names]) => ({
    ...good,
    ...Object.fromEntries(names.map((name) => [name, any[name as keyof typeof any]])),
  }))
