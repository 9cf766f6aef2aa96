// History: buckets of any zone's local time, from whichever level holds them, with gaps filled as asked.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TimeSeriesArguments } from '../../server/windows/windows.ts'
import { makeWindowsWorld } from './windowsKit.ts'

type World = Awaited<ReturnType<typeof makeWindowsWorld>>

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

let world: World

beforeAll(async () => {
  world = await makeWindowsWorld()
})
afterAll(() => world.close())

const read = (
  asked: Partial<TimeSeriesArguments> & Pick<TimeSeriesArguments, 'metrics' | 'from' | 'to' | 'bucketMs'>,
) => world.windows.timeSeries({ timeZone: 'UTC', top: 10, filter: [], gapfill: 'NULL', ...asked })

describe('gaps', () => {
  const at = (second: number) => world.start + second * SECOND
  const range = () => ({ from: new Date(at(0)), to: new Date(at(6)), bucketMs: SECOND })

  beforeAll(async () => {
    await world.shop.addEvents([
      { at: at(1), type: 'error', country: 'China' },
      { at: at(1), type: 'purchase', amount: 2, country: 'China', session: randomUUID() },
      { at: at(4), type: 'purchase', amount: 0.5, country: 'Brasil', session: randomUUID() },
      { at: at(4), type: 'purchase', amount: 0.5, country: 'Brasil', session: randomUUID() },
      { at: at(4), type: 'purchase', amount: 3, country: 'China', session: randomUUID() },
    ])
  })

  test.each([
    [
      'NULL',
      [
        [null, null],
        [2, 0.5],
        [null, null],
        [null, null],
        [3, 0],
        [null, null],
      ],
    ],
    [
      'ZERO',
      [
        [0, null],
        [2, 0.5],
        [0, null],
        [0, null],
        [3, 0],
        [0, null],
      ],
    ],
    [
      'LOCF',
      [
        [null, null],
        [2, 0.5],
        [2, 0.5],
        [2, 0.5],
        [3, 0],
        [3, 0],
      ],
    ],
    [
      'LINEAR',
      [
        [null, null],
        [2, 0.5],
        [2.3333333333, 0.3333333333],
        [2.6666666667, 0.1666666667],
        [3, 0],
        [null, null],
      ],
    ],
  ] as const)('%s fills each metric', async (gapfill, expected) => {
    const points = await read({ metrics: ['EVENTS', 'ERROR_RATE'], ...range(), gapfill })
    expect(points.map(({ bucket }) => bucket.getTime())).toEqual([0, 1, 2, 3, 4, 5].map(at))
    points.forEach(({ key, values }, index) => {
      expect(key).toBeNull()
      values.forEach((value, metric) => {
        const wanted = expected[index]![metric]!
        if (wanted === null) expect(value).toBeNull()
        else expect(value).toBeCloseTo(wanted, 9)
      })
    })
  })

  test('NONE names only the buckets that hold rows', async () => {
    const points = await read({ metrics: ['ACTIVE_USERS', 'CONVERSION_RATE'], ...range(), gapfill: 'NONE' })
    expect(points).toEqual([
      { bucket: new Date(at(1)), key: null, values: [1, 1] },
      { bucket: new Date(at(4)), key: null, values: [3, 1] },
    ])
  })

  test('with by, each key is filled on its own and the rest is one', async () => {
    const points = await read({
      metrics: ['PURCHASE_AMOUNT', 'ACTIVE_USERS'],
      ...range(),
      by: 'COUNTRY',
      top: 1,
      gapfill: 'LOCF',
    })
    expect(points.filter(({ key }) => key === 'China').map(({ values }) => values)).toEqual([
      [null, null],
      [2, 1],
      [2, 1],
      [2, 1],
      [3, 1],
      [3, 1],
    ])
    expect(points.filter(({ key }) => key === null).map(({ values }) => values)).toEqual([
      [null, null],
      [null, null],
      [null, null],
      [null, null],
      [1, 2],
      [1, 2],
    ])
    expect(points).toHaveLength(12)
  })

  test('from is aligned down and to up', async () => {
    const points = await read({
      metrics: ['EVENTS'],
      from: new Date(at(1) + 500),
      to: new Date(at(3) + 1),
      bucketMs: 2 * SECOND,
    })
    expect(points.map(({ bucket, values }) => [bucket.getTime(), ...values])).toEqual([
      [at(0), 2],
      [at(2), null],
    ])
  })

  test('takes filters, and two dimensions of events', async () => {
    const filter = [{ dimension: 'COUNTRY' as const, in: ['Brasil'] }]
    const points = await read({
      metrics: ['PURCHASES', 'ACTIVE_USERS'],
      ...range(),
      filter,
      by: 'EVENT_TYPE',
      gapfill: 'NONE',
    })
    expect(points).toEqual([{ bucket: new Date(at(4)), key: 'purchase', values: [2, 2] }])
  })
})

describe('local time', () => {
  const inBerlin = (text: string) => new Date(text)

  beforeAll(async () => {
    const spring = Date.parse('2025-03-30T00:00:00+01:00')
    const autumn = Date.parse('2025-10-26T00:00:00+02:00')
    for (const day of [spring, autumn]) {
      await world.shop.open(day - DAY, day + 3 * DAY)
      await world.shop.addEvents(Array.from({ length: 72 }, (_, hour) => ({ at: day + hour * HOUR })))
    }
  })

  test.each([
    ['2025-03-30', 23, '+01:00'],
    ['2025-10-26', 25, '+02:00'],
  ])('the day of %s has %i hours in Berlin', async (day, hours, offset) => {
    const points = await read({
      metrics: ['EVENTS'],
      from: inBerlin(`${day}T00:00:00${offset}`),
      to: new Date(inBerlin(`${day}T00:00:00${offset}`).getTime() + hours * HOUR),
      bucketMs: DAY,
      timeZone: 'Europe/Berlin',
    })
    expect(points).toEqual([{ bucket: inBerlin(`${day}T00:00:00${offset}`), key: null, values: [hours] }])
  })

  test('hours of a zone with half hours come from minutes where those are kept', async () => {
    const points = await read({
      metrics: ['EVENTS'],
      from: new Date(world.start),
      to: new Date(world.start + HOUR),
      bucketMs: HOUR,
      timeZone: 'Asia/Kolkata',
    })
    expect(points.map(({ bucket }) => (bucket.getTime() - world.start) / MINUTE)).toEqual([-30, 30])
    expect(points[0]!.values).toEqual([5])
  })

  test('days in UTC come from days', async () => {
    const points = await read({
      metrics: ['EVENTS'],
      from: new Date('2025-03-29T00:00:00Z'),
      to: new Date('2025-04-03T00:00:00Z'),
      bucketMs: DAY,
      gapfill: 'ZERO',
    })
    expect(points.map(({ values }) => values[0])).toEqual([1, 24, 24, 23, 0])
  })
})

test.each([
  [{ bucketMs: 500 }, /bucket must be/],
  [{ bucketMs: SECOND, to: new Date(Date.UTC(2030, 0, 1)) }, /may have 1000 buckets/],
  [{ timeZone: 'Mars/Base' }, /timeZone must be an IANA name/],
  [{ to: new Date(0) }, /from must be before to/],
  [{ by: 'BRAND' as const }, /EVENTS does not have the dimension BRAND/],
  [
    { from: new Date(Date.UTC(2020, 0, 1)), to: new Date(Date.UTC(2020, 0, 1, 0, 1)), bucketMs: SECOND },
    /kept for P1D.*PT1H/,
  ],
])('does not take %j', async (asked, message) => {
  await expect(
    read({
      metrics: ['EVENTS'],
      from: new Date(world.start),
      to: new Date(world.start + MINUTE),
      bucketMs: SECOND,
      ...asked,
    }),
  ).rejects.toMatchObject({ code: 'BAD_REQUEST', message: expect.stringMatching(message) })
})
