// Whatever is written, changed, deleted or lets time pass: a client that applies deltas shows what a fresh snapshot shows,
// and what is kept in memory is what would be read anew.
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { makeWindows, type MetricsUpdate, type WindowArguments } from '../../server/windows/windows.ts'
import { asking, makeView, makeWindowsWorld } from './windowsKit.ts'

type World = Awaited<ReturnType<typeof makeWindowsWorld>>

const SECOND = 1000
const sessions = Array.from({ length: 4 }, () => randomUUID())

let world: World
let users: string[]

beforeAll(async () => {
  world = await makeWindowsWorld({ lingerMs: 0 })
})
afterAll(() => world.close())

const windows: WindowArguments[] = [
  asking({ metrics: ['EVENTS', 'ERROR_RATE', 'PURCHASE_AMOUNT'], windowMs: 10 * SECOND }),
  asking({ metrics: ['EVENTS', 'ACTIVE_USERS', 'CONVERSION_RATE'], windowMs: 20 * SECOND, bucketMs: 5 * SECOND }),
  asking({ metrics: ['PAGE_VIEWS', 'ACTIVE_USERS'], windowMs: 12 * SECOND, by: 'COUNTRY', top: 2 }),
  asking({ metrics: ['ACTIVE_USERS', 'ERRORS'], windowMs: 400 * SECOND, bucketMs: 2 * SECOND, by: 'BROWSER', top: 1 }),
  asking({
    metrics: ['CONVERSION_RATE'],
    windowMs: 60 * SECOND,
    bucketMs: 60 * SECOND,
    filter: [{ dimension: 'COUNTRY', in: ['China', 'unknown'] }],
  }),
  asking({
    metrics: ['EVENTS', 'ACTIVE_USERS'],
    windowMs: 20 * SECOND,
    by: 'COUNTRY',
    top: 1,
    filter: [{ dimension: 'BROWSER', in: ['Chrome'] }],
  }),
  asking({
    metrics: ['REVENUE', 'ORDERS', 'AVERAGE_ORDER_VALUE'],
    windowMs: 30 * SECOND,
    bucketMs: 3 * SECOND,
    by: 'COUNTRY',
    top: 1,
  }),
  asking({ metrics: ['NET_REVENUE', 'PROFIT', 'RETURN_RATE'], windowMs: 20 * SECOND, by: 'CATEGORY' }),
  asking({ metrics: ['ORDERS'], windowMs: 20 * SECOND, by: 'STATUS', top: 2 }),
  asking({
    metrics: ['REVENUE'],
    windowMs: 20 * SECOND,
    by: 'CATEGORY',
    filter: [{ dimension: 'GENDER', in: ['F'] }],
    top: 1,
  }),
  asking({ metrics: ['USER_PAGE_VIEWS', 'AVERAGE_DURATION'], windowMs: 20 * SECOND }),
]

/** Seconds before now; a few are ahead, a few long ago. */
const when = fc.oneof({ weight: 5, arbitrary: fc.integer({ min: -3, max: 30 }) }, fc.integer({ min: -3, max: 500 }))
const event = fc.record({
  ago: when,
  type: fc.constantFrom('product', 'purchase', 'error', 'cart'),
  session: fc.option(fc.constantFrom(...sessions)),
  country: fc.option(fc.constantFrom('China', 'Brasil', 'Japan')),
  browser: fc.option(fc.constantFrom('Chrome', 'Safari')),
  amount: fc.option(fc.integer({ min: 0, max: 99_999 }).map((cents) => cents / 100)),
})
const order = fc.record({
  ago: when,
  user: fc.nat({ max: 2 }),
  status: fc.constantFrom('PROCESSING', 'SHIPPED', 'RETURNED'),
  category: fc.constantFrom('Jeans', 'Socks'),
  price: fc.integer({ min: 1, max: 9_999 }).map((cents) => cents / 100),
})
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('events' as const), rows: fc.array(event, { minLength: 1, maxLength: 6 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('order' as const), row: order }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('status' as const),
      pick: fc.nat(),
      status: fc.constantFrom('CANCELLED', 'RETURNED', 'COMPLETE'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('userMetric' as const), ago: when, pageViews: fc.nat(9), user: fc.nat(2) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('delete' as const),
      from: fc.constantFrom('events', 'order_items', 'user_metrics'),
      pick: fc.nat(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('shift' as const), pick: fc.nat(), ago: when }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      seconds: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 5, max: 40 })),
    }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

async function makePlayer() {
  const { shop, database, start, clock, setClock } = world
  await shop.clear()
  setClock(0)
  users = [
    await shop.addUser({ country: 'China', gender: 'F' }),
    await shop.addUser({ country: 'Brasil', gender: 'M' }),
    await shop.addUser({ country: 'Japan', gender: 'F' }),
  ]
  const events: string[] = []
  const orders: string[] = []
  const at = (ago: number) => clock() - ago * SECOND + 250
  const pickFrom = (ids: string[], pick: number) => ids[pick % Math.max(ids.length, 1)]
  return async (one: Step): Promise<void> => {
    if (one.do === 'events')
      events.push(...(await shop.addEvents(one.rows.map(({ ago, ...row }) => ({ ...row, at: at(ago) })))))
    if (one.do === 'order')
      orders.push(await shop.addOrder({ ...one.row, at: at(one.row.ago), user: users[one.row.user]!, cost: 0.5 }))
    if (one.do === 'wait') setClock(clock() - start + one.seconds * SECOND)
    const event = 'pick' in one ? pickFrom(events, one.pick) : undefined
    const order = 'pick' in one ? pickFrom(orders, one.pick) : undefined
    if (one.do === 'status' && order) await shop.setStatus(order, one.status)
    if (one.do === 'userMetric') await shop.addUserMetric(at(one.ago), users[one.user]!, one.pageViews, 30)
    if (one.do === 'delete') {
      await database.pool.query(
        `delete from ${one.from} where id = (
           select id from ${one.from} order by created_at, id limit 1 offset $1 % greatest((select count(*) from ${one.from}), 1))`,
        [one.pick],
      )
    }
    if (one.do === 'shift' && event) {
      await database.pool.query(`update events set created_at = $2, country = 'China' where id = $1`, [
        event,
        new Date(at(one.ago)),
      ])
    }
  }
}

const plain = ({ totals, points, breakdown, windowStart, windowEnd }: MetricsUpdate) => ({
  totals,
  points,
  breakdown,
  windowStart,
  windowEnd,
})

test('deltas applied to a snapshot are a fresh snapshot', { timeout: 120_000 }, async () => {
  const fresh = makeWindows(world)
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 3, maxLength: 12 }),
      fc.subarray(windows, { minLength: 3, maxLength: 3 }),
      async (steps, chosen) => {
        const play = await makePlayer()
        const live = makeWindows(world, { lingerMs: 0 })
        try {
          const watched = chosen.map((asked) => {
            const stream = live.subscribe({ ...asked, everyMs: 50 })
            const view = makeView()
            const faults: unknown[] = []
            const reading = (async () => {
              for await (const message of stream) {
                if (message.kind === 'DELTA' && message.previousCursor !== view.last()?.cursor) faults.push(message)
                view.take(message)
              }
            })()
            return { asked, stream, view, faults, reading }
          })
          for (const { view } of watched) await vi.waitFor(() => expect(view.last()).toBeDefined())
          for (const [index, one] of steps.entries()) {
            await play(one)
            for (const { asked, view } of watched) {
              const expected = await fresh.snapshot(asked)
              // Whoever joins makes the window look at once, at a clock that timers know nothing of too.
              if (one.do === 'wait' || index % 3 === 2) {
                const joined = live.subscribe({ ...asked, everyMs: 50 })
                expect(plain((await joined.next()).value!)).toEqual(plain(expected))
                await joined.return?.()
              }
              const expectedView = makeView()
              expectedView.take(expected)
              await vi.waitFor(() => expect(view.shown()).toEqual(expectedView.shown()), {
                timeout: 4_000,
                interval: 10,
              })
            }
          }
          for (const { stream, faults, reading } of watched) {
            await stream.return?.()
            await reading
            expect(faults).toEqual([])
          }
        } finally {
          await live.close()
        }
      },
    ),
    { numRuns: 15, interruptAfterTimeLimit: 60_000, markInterruptAsFailure: false },
  )
  await fresh.close()
})

test('a resumed client shows what a fresh snapshot shows', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 5 }),
      fc.array(step, { maxLength: 6 }),
      fc.constantFrom(...windows),
      async (before, missed, asked) => {
        const play = await makePlayer()
        for (const one of before) await play(one)
        const view = makeView()
        const first = await world.windows.snapshot(asked)
        view.take(first)
        for (const one of missed) await play(one)
        const stream = world.windows.subscribe({ ...asked, everyMs: 50 }, first.cursor)
        const message = (await stream.next()).value as MetricsUpdate
        if (message.kind === 'DELTA') expect(message.previousCursor).toBe(first.cursor)
        view.take(message)
        await stream.return?.()
        const fresh = makeView()
        fresh.take(await world.windows.snapshot(asked))
        expect(view.shown()).toEqual(fresh.shown())
      },
    ),
    { numRuns: 40, interruptAfterTimeLimit: 40_000, markInterruptAsFailure: false },
  )
})
