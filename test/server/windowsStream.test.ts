// Streams: a snapshot, then deltas that keep a client's picture equal to a fresh snapshot, whatever is written meanwhile.
import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { makeWindows, type MetricsUpdate, type WindowArguments } from '../../server/windows/windows.ts'
import { connectForTest } from '../support/database.ts'
import { asking, makeView, makeWindowsWorld, totalsOf } from './windowsKit.ts'

type World = Awaited<ReturnType<typeof makeWindowsWorld>>

const SECOND = 1000
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const anna = randomUUID()
const ben = randomUUID()

let world: World
let streams: AsyncIterableIterator<MetricsUpdate, undefined>[]

beforeAll(async () => {
  world = await makeWindowsWorld({ lingerMs: 0 })
})
beforeEach(async () => {
  streams = []
  world.setClock(0)
  await world.shop.clear()
})
afterEach(async () => {
  vi.restoreAllMocks()
  for (const stream of streams) await stream.return?.()
})
afterAll(() => world.close())

function watch(asked: Partial<WindowArguments> & Pick<WindowArguments, 'metrics'>, after?: string, everyMs = 50) {
  const stream = world.windows.subscribe({ ...asking(asked), everyMs }, after)
  streams.push(stream)
  return {
    stream,
    async next(): Promise<MetricsUpdate> {
      const { value, done } = await stream.next()
      if (done) throw new Error('the stream has ended')
      return value
    },
  }
}

/** Milliseconds after the start. */
const at = (ms: number) => world.start + ms
const pointsOf = ({ points }: MetricsUpdate) =>
  points.map(({ bucket, key, values }) => [bucket.getTime() - world.start, key, ...values])

describe('a stream', () => {
  test('begins with a snapshot of what is there, and goes on with what comes', async () => {
    await world.shop.addEvents([{ at: at(-2 * SECOND) }])
    const { next } = watch({ metrics: ['EVENTS'] })
    const first = await next()
    expect(first).toMatchObject({ kind: 'SNAPSHOT', previousCursor: null })
    expect(pointsOf(first)).toEqual([[-2 * SECOND, null, 1]])

    await world.shop.addEvents([{ at: at(-2 * SECOND) }, { at: at(0) }])
    const second = await next()
    expect(second).toMatchObject({ kind: 'DELTA', previousCursor: first.cursor })
    expect(pointsOf(second)).toEqual([
      [-2 * SECOND, null, 2],
      [0, null, 1],
    ])
    expect(totalsOf(second)).toEqual([3])
    expect(second.committedAt?.getTime()).toBeGreaterThan(Date.now() - MINUTE)

    await world.shop.addEvents([{ at: at(0) }])
    const third = await next()
    expect(third).toMatchObject({ kind: 'DELTA', previousCursor: second.cursor })
    expect(pointsOf(third)).toEqual([[0, null, 2]])
  })

  test('sends nothing for what does not touch it', async () => {
    await world.shop.addEvents([{ at: at(0) }])
    const { next } = watch({ metrics: ['EVENTS'], windowMs: 10 * SECOND })
    const { cursor } = await next()
    const user = await world.shop.addUser()
    await world.shop.addOrder({ at: at(0), user })
    await world.shop.addEvents([{ at: at(-20 * MINUTE) }])
    await world.shop.addEvents([{ at: at(-SECOND) }])
    const message = await next()
    expect(message.previousCursor).toBe(cursor)
    expect(pointsOf(message)).toEqual([[-SECOND, null, 1]])
  })

  test('sends a row that leaves the window as a change of the totals, and the window before moves with it', async () => {
    await world.shop.addEvents([{ at: at(-9 * SECOND) }, { at: at(-5 * SECOND) }])
    const { next } = watch({ metrics: ['EVENTS'], windowMs: 10 * SECOND })
    expect((await next()).totals).toEqual([{ metric: 'EVENTS', value: 2, previous: 0 }])
    world.setClock(SECOND)
    const message = await next()
    expect(message).toMatchObject({ kind: 'DELTA', points: [], committedAt: null, windowEnd: new Date(at(2 * SECOND)) })
    expect(message.totals).toEqual([{ metric: 'EVENTS', value: 1, previous: 1 }])
  })

  test('sends a bucket that was filled ahead of time once it enters', async () => {
    await world.shop.addEvents([{ at: at(2 * SECOND) }])
    const { next } = watch({ metrics: ['EVENTS'], windowMs: 10 * SECOND })
    expect(totalsOf(await next())).toEqual([0])
    world.setClock(2 * SECOND)
    const message = await next()
    expect(pointsOf(message)).toEqual([[2 * SECOND, null, 1]])
    expect(totalsOf(message)).toEqual([1])
  })

  test('sends a bucket that lost its last row once more, as nothing', async () => {
    const [gone] = await world.shop.addEvents([{ at: at(0), type: 'error' }])
    const { next } = watch({ metrics: ['EVENTS', 'ERROR_RATE'] })
    expect(pointsOf(await next())).toEqual([[0, null, 1, 1]])
    await world.database.pool.query('delete from events where id = $1', [gone])
    const message = await next()
    expect(message.kind).toBe('DELTA')
    expect(pointsOf(message)).toEqual([[0, null, 0, null]])
    expect(totalsOf(message)).toEqual([0, null])
  })

  test('moves an order between statuses in its bucket of creation', async () => {
    const user = await world.shop.addUser()
    const order = await world.shop.addOrder({ at: at(-30 * SECOND), user })
    await world.shop.addOrder({ at: at(-20 * SECOND), user, status: 'SHIPPED' })
    const { next } = watch({ metrics: ['ORDERS'], by: 'STATUS' })
    expect((await next()).breakdown.map(({ key, values }) => [key, ...values])).toEqual([
      ['PROCESSING', 1],
      ['SHIPPED', 1],
    ])
    await world.shop.addOrder({ at: at(-10 * SECOND), user })
    await next()
    await world.shop.setStatus(order, 'SHIPPED')
    const message = await next()
    expect(message.kind).toBe('DELTA')
    expect(pointsOf(message)).toEqual([
      [-30 * SECOND, 'SHIPPED', 1],
      [-30 * SECOND, 'PROCESSING', 0],
    ])
    expect(message.breakdown.map(({ key, values }) => [key, ...values])).toEqual([
      ['SHIPPED', 2],
      ['PROCESSING', 1],
    ])
  })

  test('sends a snapshot when other keys come to the top, and a delta when they only change places', async () => {
    await world.shop.addEvents([
      { at: at(0), country: 'China' },
      { at: at(0), country: 'China' },
      { at: at(0), country: 'Brasil' },
    ])
    const { next } = watch({ metrics: ['EVENTS'], by: 'COUNTRY', top: 2 })
    await next()
    await world.shop.addEvents([0, 0].map(() => ({ at: at(0), country: 'Brasil' })))
    const places = await next()
    expect(places.kind).toBe('DELTA')
    expect(places.breakdown.map(({ key }) => key)).toEqual(['Brasil', 'China'])
    await world.shop.addEvents([0, 0, 0].map(() => ({ at: at(0), country: 'Japan' })))
    const keys = await next()
    expect(keys).toMatchObject({ kind: 'SNAPSHOT', previousCursor: null })
    expect(keys.breakdown).toEqual([
      { key: 'Brasil', other: false, values: [3] },
      { key: 'Japan', other: false, values: [3] },
      { key: null, other: true, values: [2] },
    ])
  })

  test('counts active users over the last five minutes, and lets them go', async () => {
    await world.shop.addEvents([
      { at: at(-4 * MINUTE), session: anna },
      { at: at(0), session: ben },
      { at: at(0), session: ben },
    ])
    const { next } = watch({ metrics: ['ACTIVE_USERS'], windowMs: MINUTE })
    const first = await next()
    expect(totalsOf(first)).toEqual([2])
    expect(pointsOf(first)).toEqual([[0, null, 1]])
    world.setClock(61 * SECOND)
    expect(totalsOf(await next())).toEqual([1])
    await world.shop.addEvents([{ at: at(-3 * MINUTE), session: anna }])
    const late = await next()
    expect(totalsOf(late)).toEqual([2])
    expect(late.points).toEqual([])
  })

  test('goes on when the clock jumps further than the window is long', async () => {
    await world.shop.addEvents([{ at: at(0) }])
    const { next } = watch({ metrics: ['EVENTS'], windowMs: 10 * SECOND })
    await next()
    await world.shop.addEvents([{ at: at(30 * MINUTE - SECOND) }])
    world.setClock(30 * MINUTE)
    const message = await next()
    expect(message.kind).toBe('SNAPSHOT')
    expect(pointsOf(message)).toEqual([[30 * MINUTE - SECOND, null, 1]])
    await world.shop.addEvents([{ at: at(30 * MINUTE) }])
    expect(pointsOf(await next())).toEqual([[30 * MINUTE, null, 1]])
  })

  test('goes on with a snapshot after the database cut a read off', async () => {
    const { next } = watch({ metrics: ['EVENTS'] }, undefined, 500)
    await next()
    const { rows } = await world.database.pool.query<{ store: string }>(
      `select cagg._store(a) as store from cagg._aggregates as a where view_name = 'events_1s'`,
    )
    const holder = await connectForTest(world.database)
    await holder.query('begin')
    // Every reader waits for this lock; the tick that the row causes is half a second away.
    await holder.query(`insert into events (id, created_at, event_type) values ($1, $2, 'home')`, [
      randomUUID(),
      new Date(at(0)),
    ])
    await holder.query('commit; begin')
    await holder.query(`lock table ${rows[0]!.store} in access exclusive mode`)
    await vi.waitFor(
      async () => {
        const cut = await world.database.pool.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where datname = current_database() and wait_event_type = 'Lock' and query like '%metrics.events_1s%'`,
        )
        if (cut.rowCount === 0) throw new Error('nobody reads yet')
      },
      { timeout: 5_000 },
    )
    await holder.query('commit')
    const message = await next()
    expect(message.kind).toBe('SNAPSHOT')
    expect(totalsOf(message)).toEqual([1])
  })

  test('goes on while questions of others wait for the database, and of those no more wait than may', async () => {
    const windows = makeWindows(world, { questionsWaitingMax: 3 })
    const stream = windows.subscribe({ ...asking({ metrics: ['EVENTS'] }), everyMs: 50 })
    const next = async () => (await stream.next()).value!
    await next()
    const holder = await connectForTest(world.database)
    const { rows } = await holder.query<{ store: string }>(
      `select format('cagg_data.%I', view_name || '_' || id) as store from cagg._aggregates where view_name = 'orders_1h'`,
    )
    await holder.query(`begin; lock table ${rows[0]!.store} in access exclusive mode`)
    const [from, to] = [new Date(world.start - 3_600_000), new Date(world.start)]
    const question = () =>
      windows.timeSeries({
        ...asking({ metrics: ['ORDERS'] }),
        from,
        to,
        bucketMs: 3_600_000,
        timeZone: 'UTC',
        gapfill: 'NULL',
      })
    const questions = Array.from({ length: 6 }, question)
    const waits = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
    await vi.waitFor(async () => expect((await world.database.pool.query(waits)).rowCount).toBe(3))
    await expect(question()).rejects.toMatchObject({ code: 'OVERLOADED' })
    await world.shop.addEvents([{ at: at(0) }])
    expect(totalsOf(await next())).toEqual([1])
    await holder.query('rollback')
    expect(await Promise.all(questions)).toHaveLength(6)
    await windows.close()
  })

  test('does not take every below a twentieth of a second', () => {
    expect(() => watch({ metrics: ['EVENTS'] }, undefined, 20)).toThrow(/every must be from/)
  })

  test('fails with its error where only the database can tell', async () => {
    const small = makeWindows(world, { rawRowsMax: 1 })
    await world.shop.addEvents([{ at: at(0) }, { at: at(0) }])
    const asked = asking({ metrics: ['EVENTS'], by: 'COUNTRY', filter: [{ dimension: 'BROWSER', in: ['Chrome'] }] })
    const stream = small.subscribe({ ...asked, everyMs: 50 })
    await expect(stream.next()).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    expect(await stream.next()).toEqual({ done: true, value: undefined })
    expect(small.stats().subscribers).toBe(0)
    await small.close()
    await expect(small.subscribe({ ...asked, everyMs: 50 }).next()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})

describe('coming back', () => {
  const asked = { metrics: ['EVENTS' as const], windowMs: 30 * SECOND }

  test('goes on from the cursor with what changed and entered, and explicit nothings', async () => {
    const [gone] = await world.shop.addEvents([{ at: at(-10 * SECOND) }, { at: at(-5 * SECOND) }])
    const { next, stream } = watch(asked)
    const view = makeView()
    const first = await next()
    view.take(first)
    await stream.return?.()
    await world.database.pool.query('delete from events where id = $1', [gone])
    await world.shop.addEvents([{ at: at(-4 * SECOND) }, { at: at(3 * SECOND) }])
    world.setClock(3 * SECOND)
    const back = watch(asked, first.cursor)
    const message = await back.next()
    expect(message).toMatchObject({ kind: 'DELTA', previousCursor: first.cursor })
    const bySecond = new Map(
      message.points.map(({ bucket, values }) => [(bucket.getTime() - world.start) / SECOND, values[0]]),
    )
    expect(bySecond.get(-10)).toBe(0)
    expect(bySecond.get(-4)).toBe(1)
    expect(bySecond.get(3)).toBe(1)
    view.take(message)
    const fresh = makeView()
    fresh.take(await world.windows.snapshot(asking(asked)))
    expect(view.shown()).toEqual(fresh.shown())
    await world.shop.addEvents([{ at: at(0) }])
    expect(await back.next()).toMatchObject({ kind: 'DELTA', previousCursor: message.cursor })
  })

  test('what is committed while one comes back is told next', async () => {
    const { cursor } = await world.windows.snapshot(asking(asked))
    const since: typeof world.changes.since = async (from) => {
      const missed = await world.changes.since(from)
      await world.shop.addEvents([{ at: at(0) }])
      await world.seen()
      return missed
    }
    const windows = makeWindows({ ...world, changes: { ...world.changes, since } })
    const back = windows.subscribe({ ...asking(asked), everyMs: 50 }, cursor)
    expect(totalsOf((await back.next()).value!)).toEqual([0])
    expect(totalsOf((await back.next()).value!)).toEqual([1])
    await windows.close()
  })

  test('takes the cursor of a snapshot', async () => {
    await world.shop.addEvents([{ at: at(0) }])
    const { cursor } = await world.windows.snapshot(asking(asked))
    await world.shop.addEvents([{ at: at(-SECOND) }])
    const message = await watch(asked, cursor).next()
    expect(message).toMatchObject({ kind: 'DELTA', previousCursor: cursor })
    expect(totalsOf(message)).toEqual([2])
  })

  test('takes the cursor of another server', async () => {
    const other = makeWindows(world)
    const { cursor } = await other.snapshot(asking(asked))
    await other.close()
    await world.shop.addEvents([{ at: at(0) }])
    expect(await watch(asked, cursor).next()).toMatchObject({
      kind: 'DELTA',
      previousCursor: cursor,
      points: [{ values: [1] }],
    })
  })

  test.each([
    ['with other arguments', { ...asked, windowMs: 40 * SECOND }],
    ['with another filter', { ...asked, filter: [{ dimension: 'COUNTRY' as const, in: ['China'] }] }],
  ])('begins with a snapshot %s', async (_, others) => {
    const { cursor } = await world.windows.snapshot(asking(asked))
    expect((await watch(others, cursor).next()).kind).toBe('SNAPSHOT')
  })

  test('begins with a snapshot where other keys are at the top', async () => {
    await world.shop.addEvents([{ at: at(0), country: 'China' }])
    const byCountry = { ...asked, by: 'COUNTRY' as const, top: 1 }
    const { cursor } = await world.windows.snapshot(asking(byCountry))
    await world.shop.addEvents([0, 0].map(() => ({ at: at(0), country: 'Brasil' })))
    expect((await watch(byCountry, cursor).next()).kind).toBe('SNAPSHOT')
  })

  test('begins with a snapshot where the change log was trimmed, or the window has passed', async () => {
    await world.shop.addEvents([{ at: at(0) }])
    const { cursor } = await world.windows.snapshot(asking(asked))
    world.setClock(5 * MINUTE)
    expect((await watch(asked, cursor).next()).kind).toBe('SNAPSHOT')
    world.setClock(0)
    await world.shop.addEvents([{ at: at(0) }])
    await world.shop.trimChangeLog()
    expect((await watch({ ...asked, metrics: ['EVENTS'] }, cursor, 100).next()).kind).toBe('SNAPSHOT')
  })

  test('does not take what is no cursor', () => {
    for (const text of ['', 'x', 'bm8gY3Vyc29y', Buffer.from('m1;a;b;c;d').toString('base64url')]) {
      expect(() => watch(asked, text), text).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }))
    }
  })
})

describe('many who watch', () => {
  test('one window is computed once, and the same message goes to all', async () => {
    const [one, two] = [watch({ metrics: ['EVENTS'] }), watch({ metrics: ['EVENTS'], filter: [] })]
    await Promise.all([one.next(), two.next()])
    expect(world.windows.stats()).toEqual({ windows: 1, subscribers: 2 })
    await world.seen()
    const reads = vi.spyOn(world.database.pool, 'connect')
    await world.shop.addEvents([{ at: at(0) }])
    const [left, right] = await Promise.all([one.next(), two.next()])
    expect(left).toBe(right)
    expect(reads.mock.calls.filter(([callback]) => callback === undefined)).toHaveLength(1)
    await one.stream.return?.()
    expect(world.windows.stats()).toEqual({ windows: 1, subscribers: 1 })
    await two.stream.return?.()
    expect(world.windows.stats()).toEqual({ windows: 0, subscribers: 0 })
  })

  test('one who reads slowly gets one message that holds all it missed', async () => {
    await world.shop.addEvents([{ at: at(0) }])
    const [fast, slow] = [watch({ metrics: ['EVENTS'] }), watch({ metrics: ['EVENTS'] })]
    const view = makeView()
    await fast.next()
    const first = await slow.next()
    view.take(first)
    let last: MetricsUpdate | undefined
    for (const second of [0, -1, -2, 0]) {
      await world.shop.addEvents([{ at: at(second * SECOND) }])
      last = await fast.next()
    }
    const merged = await slow.next()
    expect(merged).toMatchObject({
      kind: 'DELTA',
      previousCursor: first.cursor,
      cursor: last!.cursor,
      totals: last!.totals,
    })
    view.take(merged)
    const fresh = makeView()
    fresh.take(await world.windows.snapshot(asking({ metrics: ['EVENTS'] })))
    expect(view.shown()).toEqual(fresh.shown())
  })

  test('one who joins late begins with a snapshot and is not told twice', async () => {
    const early = watch({ metrics: ['EVENTS'] }, undefined, 500)
    await early.next()
    await world.shop.addEvents([{ at: at(0) }])
    const late = watch({ metrics: ['EVENTS'] }, undefined, 500)
    const first = await late.next()
    expect(first.kind).toBe('SNAPSHOT')
    expect(totalsOf(first)).toEqual([1])
    expect(totalsOf(await early.next())).toEqual([1])
    await world.shop.addEvents([{ at: at(0) }])
    expect(await late.next()).toMatchObject({ kind: 'DELTA', previousCursor: first.cursor, totals: [{ value: 2 }] })
  })

  test('a quiet window asks the database nothing while others move on', async () => {
    const user = await world.shop.addUser()
    await world.seen()
    const quiet = watch({ metrics: ['EVENTS', 'ACTIVE_USERS'], windowMs: 10 * SECOND })
    const lively = watch({ metrics: ['USER_PAGE_VIEWS'], windowMs: 10 * SECOND })
    await Promise.all([quiet.next(), lively.next()])
    await world.seen()
    const reads = vi.spyOn(world.database.pool, 'connect')
    for (const second of [1, 2, 3]) {
      world.setClock(second * SECOND)
      await world.shop.addUserMetric(at(second * SECOND), user, 1, 1)
      await lively.next()
    }
    // Queries of the pool itself come with a callback.
    expect(reads.mock.calls.filter(([callback]) => callback === undefined)).toHaveLength(3)
    await world.shop.addEvents([{ at: at(3 * SECOND) }])
    expect(pointsOf(await quiet.next())).toEqual([[3 * SECOND, null, 1, 0]])
  })

  test.each([
    ['of two that took long wait for more of them, and share a look', 2, -1, 2],
    ['of one that took long are looked for at once', 1, -1, 3],
    ['of two that took no time are looked for at once', 2, 60_000, 3],
  ])('those who come after an arrival %s', async (_, first, arrivalMsMax, looks) => {
    const windows = makeWindows(world, { gatherMs: 1, stormGatherMs: SECOND, arrivalMsMax, lingerMs: 0 })
    const streams = Array.from({ length: first + 2 }, () =>
      windows.subscribe({ ...asking({ metrics: ['EVENTS'] }), everyMs: SECOND }),
    )
    await world.seen()
    const reads = vi.spyOn(world.database.pool, 'connect')
    await Promise.all(streams.slice(0, first).map((stream) => stream.next()))
    await world.seen()
    const early = streams[first]!.next()
    await (looks === 3 ? early : world.seen())
    await Promise.all([early, streams[first + 1]!.next()])
    expect(reads.mock.calls.filter(([callback]) => callback === undefined)).toHaveLength(looks)
    for (const stream of streams) await stream.return?.()
    await windows.close()
  })

  test('a window is read again alone where another one fails in the same transaction', async () => {
    const user = await world.shop.addUser()
    await world.seen()
    const come = () => [
      watch({ metrics: ['REVENUE'] }, undefined, HOUR),
      watch({ metrics: ['EVENTS'] }, undefined, HOUR),
    ]
    await Promise.all(come().map(({ next }) => next()))
    await world.shop.addOrder({ at: at(0), user })
    await world.shop.addEvents([{ at: at(0) }])
    await world.seen()
    await world.database.pool.query('alter view metrics.order_items_1s rename to away')
    const [failed, told] = await Promise.allSettled(come().map(({ next }) => next()))
    await world.database.pool.query('alter view metrics.away rename to order_items_1s')
    expect(failed).toMatchObject({ status: 'rejected', reason: { code: '42P01' } })
    expect(told).toMatchObject({ status: 'fulfilled', value: { kind: 'SNAPSHOT', totals: [{ value: 1 }] } })
  })

  test('no more subscribers are taken than there may be', async () => {
    const small = makeWindows(world, { subscribersMax: 1 })
    const stream = small.subscribe({ ...asking({ metrics: ['EVENTS'] }), everyMs: 1000 })
    await stream.next()
    await expect(small.subscribe({ ...asking({ metrics: ['EVENTS'] }), everyMs: 1000 }).next()).rejects.toMatchObject({
      code: 'OVERLOADED',
    })
    await stream.return?.()
    await small.close()
  })
})
