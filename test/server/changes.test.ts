// The follower of the change log: nothing lost, whatever the order of commits, the connection or the log's own age does.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type pg from 'pg'
import { pino } from 'pino'
import { type ChangeNotice, type Changes, makeChanges } from '../../server/changes/changes.ts'
import { makeLag } from '../../server/changes/lag.ts'
import { openConnections } from '../../server/db/database.ts'
import type { Database } from '../../server/db/index.ts'
import { connectForTest, makeTestDatabase } from '../support/database.ts'
import { makeWay } from '../support/way.ts'
import { makeShop, type Shop } from './windowsKit.ts'

const log = pino({ level: 'silent' })
const HOUR_MS = 3_600_000
const start = Math.floor(Date.now() / HOUR_MS) * HOUR_MS

let database: Database
let shop: Shop
let open: Changes[]
let holder: pg.Client

beforeAll(async () => {
  database = await makeTestDatabase()
  shop = makeShop(database)
  await shop.open(start - HOUR_MS, start + HOUR_MS)
  open = []
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((changes) => changes.close()))
})
afterAll(() => database.close())

async function follow(options: Parameters<typeof makeChanges>[1] = { pollIntervalMs: 20 }) {
  const changes = await makeChanges({ database, log }, options)
  open.push(changes)
  const notices: ChangeNotice[] = []
  changes.subscribe((notice) => notices.push(notice))
  return {
    changes,
    notices,
    /** Buckets of a view, as told so far. */
    told: (view: string) =>
      notices.flatMap((notice) =>
        notice.changes
          .filter((change) => change.view === view)
          .map(({ firstBucket, lastBucket }) => [firstBucket.getTime() - start, lastBucket.getTime() - start]),
      ),
  }
}

// A fold tells of its rows once more, by chance: no chance here. Whoever folds asks for this lock.
beforeEach(async () => {
  await database.pool.query('select cagg.run_maintenance()')
  holder = await database.connect()
  await holder.query(`select pg_advisory_lock(hashtext('cagg.tail'), hashtext('public.events'))`)
})
afterEach(() => holder.end())

describe('following the change log', () => {
  test('tells which buckets of which views a commit changed, and when it was', async () => {
    const { notices, told, changes } = await follow()
    await shop.addEvents([{ at: start + 2_400 }, { at: start + 5_000 }])
    const seconds = () => told('metrics.events_1s').sort(([a], [b]) => a! - b!)
    await vi.waitFor(() =>
      expect(seconds()).toEqual([
        [2_000, 2_000],
        [5_000, 5_000],
      ]),
    )
    expect(told('metrics.events_1m')).toEqual([[0, 0]])
    const [notice] = notices
    expect(Math.abs(notice!.committedAt!.getTime() - Date.now())).toBeLessThan(10_000)
    expect(await changes.since(notice!.cursor)).toMatchObject({ changes: [] })
    expect(changes.newest(['metrics.events_1s'], start, start + 1_000)).toBeNull()
    const ofView = notice!.changes.find(
      ({ view, firstBucket }) => view === 'metrics.events_1s' && firstBucket.getTime() === start + 2_000,
    )!
    expect(changes.newest(['metrics.events_1s'], start, start + 3_000)).toEqual(ofView.committedAt)
    expect(changes.lagMs()).toBeGreaterThanOrEqual(0)
  })

  test('does not tell what was rolled back', async () => {
    const { told } = await follow()
    const client = await connectForTest(database)
    await client.query('begin')
    await client.query(`insert into events (id, created_at, event_type) values (gen_random_uuid(), $1, 'home')`, [
      new Date(start),
    ])
    await client.query('rollback')
    await shop.addEvents([{ at: start + 7_000 }])
    await vi.waitFor(() => expect(told('metrics.events_1s')).toEqual([[7_000, 7_000]]))
  })

  test('a long transaction delays nobody, and is told when it commits', async () => {
    const { told } = await follow()
    const client = await connectForTest(database)
    await client.query('begin')
    await client.query(`insert into events (id, created_at, event_type) values (gen_random_uuid(), $1, 'home')`, [
      new Date(start + 1_000),
    ])
    await shop.addEvents([{ at: start + 9_000 }])
    await vi.waitFor(() => expect(told('metrics.events_1s')).toEqual([[9_000, 9_000]]))
    await client.query('commit')
    await vi.waitFor(() =>
      expect(told('metrics.events_1s')).toEqual([
        [9_000, 9_000],
        [1_000, 1_000],
      ]),
    )
  })

  test('looks at once when it is poked, and once for many pokes', async () => {
    const { told, changes } = await follow({ pollIntervalMs: 60_000, pokeIntervalMs: 5 })
    await shop.addEvents([{ at: start }])
    for (let times = 0; times < 100; times++) changes.poke()
    await vi.waitFor(() => expect(told('metrics.events_1s')).toEqual([[0, 0]]))
    await shop.addEvents([{ at: start + 1_000 }])
    changes.poke()
    await vi.waitFor(() =>
      expect(told('metrics.events_1s')).toEqual([
        [0, 0],
        [1_000, 1_000],
      ]),
    )
  })

  test('goes on from its cursor after the connection was lost', async () => {
    const { told, notices } = await follow({ pollIntervalMs: 20, retryIntervalMs: 10 })
    await database.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query ilike '%cagg.changes_since%' and pid <> pg_backend_pid()`,
    )
    await shop.addEvents([{ at: start + 3_000 }])
    await vi.waitFor(() => expect(told('metrics.events_1s')).toEqual([[3_000, 3_000]]))
    expect(notices.every(({ gap }) => !gap)).toBe(true)
  })

  test('gives up a connection that says nothing more, and knows how far behind it is meanwhile', async () => {
    const way = await makeWay(database.url)
    const through = await openConnections(log, { url: way.url, poolMax: 1 })
    const changes = await makeChanges({ database: through, log }, { pollIntervalMs: 20, lookTimeoutMs: 300 })
    open.push(changes)
    const told = vi.fn()
    changes.subscribe(told)
    way.hush()
    await shop.addEvents([{ at: start + 6_000 }])
    await vi.waitFor(() => expect(changes.behindMs()).toBeGreaterThan(200))
    await vi.waitFor(() => expect(told).toHaveBeenCalled())
    await vi.waitFor(() => expect(changes.behindMs()).toBeLessThan(200))
    await changes.close()
    await through.close()
    way.close()
  })

  test('says so when the log was trimmed before it could be read', async () => {
    const { notices, changes } = await follow({ pollIntervalMs: 60_000, pokeIntervalMs: 5 })
    await shop.addEvents([{ at: start }])
    await holder.end()
    await shop.trimChangeLog()
    changes.poke()
    await vi.waitFor(() => expect(notices).toMatchObject([{ gap: true, changes: [] }]))
    await shop.addEvents([{ at: start }])
    changes.poke()
    await vi.waitFor(() => expect(notices[1]).toMatchObject({ gap: false }))
  })

  test('answers what changed since any cursor', async () => {
    const { changes } = await follow()
    const cursor = changes.cursor()
    await shop.addEvents([{ at: start + 4_000 }])
    const missed = await changes.since(cursor)
    expect(missed).toMatchObject({ committedAt: expect.any(Date) })
    if (missed === 'expired') throw new Error('the cursor has expired')
    expect(missed.changes.map(({ view }) => view)).toContain('metrics.events_1h')
    expect(await changes.since(missed.cursor)).toMatchObject({ changes: [], committedAt: null })
    expect(await changes.since(cursor.replace(/^[^:]+/, 'elsewhere'))).toBe('expired')
    await expect(changes.since('nonsense')).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })

  test('one listener that fails does not keep the others from being told', async () => {
    const changes = await makeChanges({ database, log }, { pollIntervalMs: 20 })
    open.push(changes)
    const told = vi.fn()
    changes.subscribe(() => {
      throw new Error('not today')
    })
    const end = changes.subscribe(told)
    await shop.addEvents([{ at: start }])
    await vi.waitFor(() => expect(told).toHaveBeenCalledTimes(1))
    end()
    const { told: later } = await follow()
    await shop.addEvents([{ at: start }])
    await vi.waitFor(() => expect(later('metrics.events_1s')).toHaveLength(1))
    expect(told).toHaveBeenCalledTimes(1)
  })
})

test('the lag is the median of the last samples, as far as they are of the last minute', () => {
  let nowMs = 0
  const lag = makeLag(3, 60_000, () => nowMs)
  expect(lag.medianMs()).toBeNull()
  for (const ms of [900, 5, 7, 6]) lag.add(ms)
  expect(lag.medianMs()).toBe(6)
  nowMs = 30_000
  lag.add(40)
  nowMs = 60_001
  expect(lag.medianMs()).toBe(40)
  nowMs = 90_001
  expect(lag.medianMs()).toBeNull()
})
