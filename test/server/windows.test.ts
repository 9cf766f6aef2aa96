// Each metric's numbers against rows counted by hand, on the real views.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { catalogue } from '../../server/metrics/catalogue.ts'
import { asking, makeWindowsWorld, totalsOf } from './windowsKit.ts'

type World = Awaited<ReturnType<typeof makeWindowsWorld>>

const MINUTE = 60_000
const [anna, ben, cleo] = [randomUUID(), randomUUID(), randomUUID()]

describe('numbers', () => {
  let world: World
  /** Of the fourth minute, by the second. */
  let at: (second: number) => number

  beforeAll(async () => {
    world = await makeWindowsWorld()
    const { shop, start } = world
    at = (second) => start + 3 * MINUTE + second * 1000
    await shop.addEvents([
      { at: at(0), type: 'home', session: anna, country: 'China', browser: 'Chrome', source: 'Email' },
      { at: at(1), type: 'product', session: anna, country: 'China', browser: 'Chrome', source: 'Email', sequence: 2 },
      { at: at(2), type: 'cart', session: anna, country: 'China', browser: 'Chrome', source: 'Email', sequence: 3 },
      {
        at: at(3),
        type: 'purchase',
        session: anna,
        country: 'China',
        browser: 'Chrome',
        source: 'Email',
        amount: 40.1,
      },
      { at: at(3), type: 'purchase', session: ben, country: 'Brasil', browser: 'Safari', source: 'Email', amount: 0.2 },
      { at: at(4), type: 'error', session: cleo, country: 'Brasil', browser: 'Chrome', source: 'Email' },
      { at: at(5), type: 'signup', session: cleo, browser: 'Chrome' },
      { at: at(5), type: 'product', browser: 'Chrome' },
    ])
    const [frieda, max] = [
      await shop.addUser({ country: 'China', gender: 'F', age: 17, source: 'Search' }),
      await shop.addUser({ country: 'Japan', gender: 'M', age: 65, source: 'Email' }),
    ]
    await shop.addOrder({
      at: at(0),
      user: frieda,
      status: 'COMPLETE',
      price: 20.5,
      cost: 8.25,
      category: 'Jeans',
      brand: 'Acme',
    })
    await shop.addOrder({
      at: at(1),
      user: frieda,
      status: 'RETURNED',
      price: 10,
      cost: 4,
      category: 'Socks',
      brand: null,
    })
    await shop.addOrder({
      at: at(1),
      user: max,
      status: 'CANCELLED',
      price: 30,
      cost: 10,
      category: 'Jeans',
      department: 'Women',
    })
    await shop.addOrder({ at: at(2), user: max, status: 'SHIPPED', price: 5.05, cost: 5, category: 'Jeans' })
    await shop.addUserMetric(at(0), max, 3, 60)
    await shop.addUserMetric(at(9), frieda, 1, 40)
    world.setClock(3 * MINUTE + 30_500)
  })
  afterAll(() => world.close())

  const read = (asked: Parameters<typeof asking>[0]) => world.windows.snapshot(asking(asked))

  test('every metric of the catalogue answers as its definition says', async () => {
    const message = await read({ metrics: catalogue.map(({ metric }) => metric) })
    expect(Object.fromEntries(message.totals.map(({ metric, value }) => [metric, value]))).toEqual({
      EVENTS: 8,
      PAGE_VIEWS: 4,
      CART_ADDS: 1,
      PURCHASES: 2,
      PURCHASE_AMOUNT: 40.3,
      SIGNUPS: 1,
      ERRORS: 1,
      ERROR_RATE: 0.3333333333,
      ACTIVE_USERS: 3,
      CONVERSION_RATE: 0.6666666667,
      ORDERS: 4,
      ORDER_ITEMS: 4,
      REVENUE: 65.55,
      NET_REVENUE: 25.55,
      PROFIT: 12.3,
      AVERAGE_ORDER_VALUE: 16.3875,
      RETURN_RATE: 0.25,
      CANCELLATION_RATE: 0.25,
      USER_PAGE_VIEWS: 4,
      AVERAGE_DURATION: 25,
    })
  })

  test('an empty window is 0 for sums and null for ratios, and has no points', async () => {
    const message = await world.windows.snapshot(
      asking({
        metrics: ['REVENUE', 'ORDERS', 'ACTIVE_USERS', 'ERROR_RATE', 'CONVERSION_RATE', 'AVERAGE_ORDER_VALUE'],
      }),
      new Date(world.start - MINUTE),
    )
    expect(totalsOf(message)).toEqual([0, 0, 0, null, null, null])
    expect(message.points).toEqual([])
    expect(message.committedAt).toBeNull()
  })

  test('windows end with the unfinished bucket and are aligned to it', async () => {
    const message = await read({ metrics: ['EVENTS'], windowMs: 10 * MINUTE })
    expect(message.windowEnd).toEqual(new Date(at(35)))
    expect(message.windowStart).toEqual(new Date(at(35) - 10 * MINUTE))
    expect(message.points).toEqual([
      { bucket: new Date(at(0)), key: null, values: [6] },
      { bucket: new Date(at(5)), key: null, values: [2] },
    ])
  })

  test('points name the buckets that hold rows, with the values in the order asked for', async () => {
    const message = await read({ metrics: ['REVENUE', 'ORDERS', 'AVERAGE_ORDER_VALUE', 'RETURN_RATE'] })
    expect(message.points.map(({ bucket, values }) => [bucket.getTime() - at(0), ...values])).toEqual([
      [0, 20.5, 1, 20.5, 0],
      [1000, 40, 2, 20, 0.5],
      [2000, 5.05, 1, 5.05, 0],
    ])
  })

  test('a point of rows that a metric does not count is 0', async () => {
    const message = await read({ metrics: ['PURCHASES'] })
    expect(message.points.map(({ values }) => values[0])).toEqual([0, 0, 0, 2, 0, 0])
  })

  test('with by, keys are ranked by the first metric, ties by name, and the rest is one', async () => {
    const message = await read({
      metrics: ['PAGE_VIEWS', 'ERRORS', 'ACTIVE_USERS', 'CONVERSION_RATE'],
      by: 'COUNTRY',
      top: 2,
    })
    expect(message.breakdown).toEqual([
      { key: 'China', other: false, values: [3, 0, 1, 1] },
      { key: 'unknown', other: false, values: [1, 0, 1, 0] },
      { key: null, other: true, values: [0, 1, 2, 0.5] },
    ])
    expect(message.points.map(({ bucket, key, values }) => [bucket.getTime() - at(0), key, ...values])).toEqual([
      [0, 'China', 1, 0, 1, 0],
      [1000, 'China', 1, 0, 1, 0],
      [2000, 'China', 1, 0, 1, 0],
      [3000, 'China', 0, 0, 1, 1],
      [3000, null, 0, 0, 1, 1],
      [4000, null, 0, 1, 1, 0],
      [5000, 'unknown', 1, 0, 1, 0],
    ])
  })

  test('distinct counts rank keys too', async () => {
    const message = await read({ metrics: ['ACTIVE_USERS'], by: 'BROWSER', top: 1 })
    expect(message.breakdown).toEqual([
      { key: 'Chrome', other: false, values: [2] },
      { key: null, other: true, values: [1] },
    ])
  })

  test.each([
    ['EVENT_TYPE', 'EVENTS', { product: 2, purchase: 2, cart: 1, error: 1, home: 1, signup: 1 }],
    ['STATUS', 'REVENUE', { CANCELLED: 30, COMPLETE: 20.5, RETURNED: 10, SHIPPED: 5.05 }],
    ['CATEGORY', 'NET_REVENUE', { Jeans: 25.55, Socks: 0 }],
    ['BRAND', 'ORDER_ITEMS', { Acme: 3, unknown: 1 }],
    ['DEPARTMENT', 'PROFIT', { Men: 12.3, Women: 0 }],
    ['GENDER', 'CANCELLATION_RATE', { M: 0.5, F: 0 }],
    ['AGE_BAND', 'ORDERS', { '12-17': 2, '65+': 2 }],
    ['TRAFFIC_SOURCE', 'AVERAGE_ORDER_VALUE', { Email: 17.525, Search: 15.25 }],
  ] as const)('by %s, %s is what each key holds', async (by, metric, expected) => {
    const message = await read({ metrics: [metric], by })
    expect(Object.fromEntries(message.breakdown.map(({ key, values }) => [key, values[0]]))).toEqual(expected)
    expect(message.breakdown.map(({ key }) => key)).toEqual(Object.keys(expected))
  })

  test.each([
    ['a filter', { filter: [{ dimension: 'COUNTRY', in: ['China'] }] }, { totals: [30.5, 2] }],
    ['a filter that keeps nothing', { filter: [{ dimension: 'COUNTRY', in: [] }] }, { totals: [0, 0] }],
    [
      'two filters on one dimension',
      {
        filter: [
          { dimension: 'COUNTRY', in: ['China', 'Japan'] },
          { dimension: 'COUNTRY', in: ['Japan', 'Brasil'] },
        ],
      },
      { totals: [35.05, 2] },
    ],
    [
      'a filter and by of the buyer',
      { by: 'COUNTRY', filter: [{ dimension: 'STATUS', in: ['SHIPPED', 'COMPLETE'] }] },
      { totals: [25.55, 2], keys: { China: 20.5, Japan: 5.05 } },
    ],
    [
      'a filter and by of the product',
      { by: 'CATEGORY', filter: [{ dimension: 'DEPARTMENT', in: ['Men'] }] },
      { totals: [35.55, 3], keys: { Jeans: 25.55, Socks: 10 } },
    ],
    [
      'a filter of the buyer with by of the product',
      { by: 'CATEGORY', filter: [{ dimension: 'GENDER', in: ['F'] }] },
      { totals: [30.5, 2], keys: { Jeans: 20.5, Socks: 10 } },
    ],
    [
      'three dimensions together',
      {
        by: 'AGE_BAND',
        filter: [
          { dimension: 'BRAND', in: ['Acme'] },
          { dimension: 'STATUS', in: ['CANCELLED', 'SHIPPED'] },
        ],
      },
      { totals: [35.05, 2], keys: { '65+': 35.05 } },
    ],
  ] as const)('orders and items take %s', async (_, asked, expected) => {
    const { by, filter } = asked as {
      by?: 'COUNTRY'
      filter: readonly { dimension: 'COUNTRY'; in: readonly string[] }[]
    }
    const message = await read({
      metrics: ['REVENUE', 'ORDER_ITEMS'],
      by,
      filter: filter.map((one) => ({ ...one, in: [...one.in] })),
    })
    expect(totalsOf(message)).toEqual(expected.totals)
    const { keys } = expected as { keys?: Record<string, number> }
    if (keys) expect(Object.fromEntries(message.breakdown.map(({ key, values }) => [key, values[0]]))).toEqual(keys)
  })

  test('events take one dimension from their aggregate, and two from the rows themselves', async () => {
    const metrics = ['EVENTS', 'PURCHASE_AMOUNT', 'ACTIVE_USERS', 'CONVERSION_RATE'] as const
    const chrome = [{ dimension: 'BROWSER' as const, in: ['Chrome'] }]
    const one = await read({ metrics: [...metrics], filter: chrome })
    expect(totalsOf(one)).toEqual([7, 40.1, 2, 0.5])
    const two = await read({ metrics: [...metrics], filter: chrome, by: 'COUNTRY', top: 2 })
    expect(totalsOf(two)).toEqual([7, 40.1, 2, 0.5])
    expect(two.breakdown).toEqual([
      { key: 'China', other: false, values: [4, 40.1, 1, 1] },
      { key: 'unknown', other: false, values: [2, 0, 1, 0] },
      { key: null, other: true, values: [1, 0, 1, 0] },
    ])
    expect(two.points.find(({ key }) => key === null)).toEqual({
      bucket: new Date(at(4)),
      key: null,
      values: [1, 0, 1, 0],
    })
  })

  test('a metric does not take a dimension it does not have, and says which it has', async () => {
    await expect(read({ metrics: ['ERROR_RATE'], by: 'EVENT_TYPE' })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: 'ERROR_RATE does not have the dimension EVENT_TYPE; it has COUNTRY, TRAFFIC_SOURCE, BROWSER.',
    })
    await expect(
      read({ metrics: ['EVENTS', 'USER_PAGE_VIEWS'], filter: [{ dimension: 'COUNTRY', in: ['China'] }] }),
    ).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: 'USER_PAGE_VIEWS does not have the dimension COUNTRY; it has none.',
    })
  })

  test.each([
    [{ metrics: [] }, /metrics must name 1 to/],
    [{ metrics: ['EVENTS'], top: 0 }, /top must be a whole number from 1 to 100/],
    [{ metrics: ['EVENTS'], top: 101 }, /top must be/],
    [{ metrics: ['EVENTS'], bucketMs: 500 }, /bucket must be a whole number of seconds/],
    [{ metrics: ['EVENTS'], bucketMs: 7000 }, /window must be a multiple of its bucket, PT7S/],
    [{ metrics: ['EVENTS'], windowMs: 3_600_000, bucketMs: 1000 }, /1000 buckets.*PT4S would do/],
    [{ metrics: ['EVENTS'], windowMs: 0 }, /window must be a multiple/],
  ] as const)('does not take %j', async (asked, message) => {
    await expect(read({ ...asked, metrics: [...asked.metrics] })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: expect.stringMatching(message),
    })
  })

  test('previous is the window just before, and active users look at the five minutes before each end', async () => {
    const { shop, start } = world
    await shop.addEvents([
      { at: start - 20 * MINUTE, session: randomUUID(), country: 'Spain' },
      { at: start - 21 * MINUTE, session: randomUUID(), country: 'Spain' },
      { at: start - 24 * MINUTE, session: anna, country: 'Spain' },
      { at: start - 30 * MINUTE, session: ben, country: 'Spain', type: 'purchase', amount: 1 },
    ])
    const message = await world.windows.snapshot(
      asking({ metrics: ['EVENTS', 'ACTIVE_USERS', 'CONVERSION_RATE'], windowMs: 10 * MINUTE, bucketMs: MINUTE }),
      new Date(start - 10 * MINUTE),
    )
    expect(message.windowEnd).toEqual(new Date(start - 10 * MINUTE))
    expect(message.totals).toEqual([
      { metric: 'EVENTS', value: 1, previous: 3 },
      { metric: 'ACTIVE_USERS', value: 0, previous: 2 },
      { metric: 'CONVERSION_RATE', value: 0, previous: 0.3333333333 },
    ])
  })

  test('buckets that are not kept by second any more are refused with a width that is', async () => {
    await expect(
      world.windows.snapshot(asking({ metrics: ['EVENTS'] }), new Date(world.start - 30 * 60 * MINUTE)),
    ).rejects.toMatchObject({ code: 'BAD_REQUEST', message: expect.stringMatching(/kept for P1D.*PT1M or a multiple/) })
    const message = await world.windows.snapshot(
      asking({ metrics: ['EVENTS'], bucketMs: MINUTE, windowMs: 5 * MINUTE }),
      new Date(world.start - 30 * 60 * MINUTE),
    )
    expect(totalsOf(message)).toEqual([0])
  })

  test('a funnel counts the sessions that reached each step in order', async () => {
    const { shop, setClock, start } = world
    const base = start + 10 * MINUTE
    const session = () => randomUUID()
    const [one, two, three] = [session(), session(), session()]
    await shop.addEvents([
      { at: base, type: 'product', session: one, sequence: 1 },
      { at: base, type: 'cart', session: one, sequence: 2 },
      { at: base, type: 'purchase', session: one, sequence: 3 },
      { at: base, type: 'cart', session: two, sequence: 1 },
      { at: base, type: 'product', session: two, sequence: 2 },
      { at: base + 1000, type: 'home', session: two, sequence: 3 },
      { at: base + 2000, type: 'purchase', session: two, sequence: 4 },
      { at: base, type: 'product', user: three },
      { at: base + 1, type: 'cart', user: three },
      { at: base, type: 'product' },
    ])
    setClock(12 * MINUTE)
    expect(await world.windows.funnel(['product', 'cart', 'purchase'], 3 * MINUTE)).toEqual([
      { step: 'product', sessions: 3, share: 1 },
      { step: 'cart', sessions: 2, share: 0.6666666667 },
      { step: 'purchase', sessions: 1, share: 0.3333333333 },
    ])
    expect(await world.windows.funnel(['product', 'product'], 3 * MINUTE)).toEqual([
      { step: 'product', sessions: 3, share: 1 },
      { step: 'product', sessions: 0, share: 0 },
    ])
    expect(await world.windows.funnel(['cart'], MINUTE)).toEqual([{ step: 'cart', sessions: 0, share: null }])
  })
})

test('two dimensions of events are refused where the window holds too many, with the window that would do', async () => {
  const world = await makeWindowsWorld({ rawRowsMax: 20, funnelRowsMax: 5 })
  try {
    await world.shop.addEvents(
      Array.from({ length: 40 }, (_, index) => ({ at: world.start - index * MINUTE, country: 'China' })),
    )
    const asked = asking({
      metrics: ['EVENTS'],
      windowMs: 30 * MINUTE,
      bucketMs: MINUTE,
      by: 'COUNTRY',
      filter: [{ dimension: 'BROWSER', in: ['unknown'] }],
    })
    await expect(world.windows.snapshot(asked)).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: expect.stringMatching(/up to 20 of them.*a window of PT10M would do/),
    })
    expect(totalsOf(await world.windows.snapshot({ ...asked, windowMs: 10 * MINUTE }))).toEqual([10])
    await expect(world.windows.funnel(['cart'], 30 * MINUTE)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  } finally {
    await world.close()
  }
})
