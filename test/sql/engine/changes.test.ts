// The change feed: what was committed since a cursor, all of it, once.
import { expect, it } from 'vitest'
import { connectForTest } from '../../support/database.ts'
import { useEngine } from './support.ts'

const engine = useEngine()

interface Change {
  view_name: string | null
  first_bucket: string | null
  last_bucket: string | null
  new_cursor: string | null
}

async function since(cursor: string | null) {
  const rows = await engine.sql<Change>('select * from cagg.changes_since($1)', [cursor])
  return { cursor: rows.at(-1)?.new_cursor ?? '', changes: rows.slice(0, -1) }
}

const sale = (ts: string) => `insert into shop."Sales" (ts, amount, buyer, country) values ('${ts}', 50, 1, 'US')`

it('names the views and buckets that a committed statement touched, then nothing', async () => {
  const start = (await since(null)).cursor
  await engine.sql(sale('2026-03-01 10:00:30.5+00'))
  const { cursor, changes } = await since(start)
  expect(changes.map(({ view_name, first_bucket, last_bucket }) => [view_name, first_bucket, last_bucket]).sort()).toEqual([
    ['shop.by_dimension_1h', '2026-03-01 10:00:00+00', '2026-03-01 10:00:00+00'],
    ['shop.sales_1d', '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00'],
    ['shop.sales_1m', '2026-03-01 10:00:00+00', '2026-03-01 10:00:00+00'],
    ['shop.sales_1s', '2026-03-01 10:00:30+00', '2026-03-01 10:00:30+00'],
    ['shop.statistics_1d', '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00'],
    ['shop.statistics_1h', '2026-03-01 10:00:00+00', '2026-03-01 10:00:00+00'],
  ])
  expect((await since(cursor)).changes).toEqual([])
})

it('keeps a late row apart from the live ones of the same statement', async () => {
  const start = (await since(null)).cursor
  await engine.sql(`insert into shop."Sales" (ts, amount) values ('2026-03-01 01:00+00', 50), ('2026-03-04 01:00+00', 50)`)
  const { changes } = await since(start)
  expect(changes.filter(({ view_name }) => view_name === 'shop.sales_1s').map(({ first_bucket }) => first_bucket).sort()).toEqual([
    '2026-03-01 01:00:00+00',
    '2026-03-04 01:00:00+00',
  ])
})

it('does not lose a transaction that commits after one that began later', async () => {
  const slow = await connectForTest(engine.database)
  const start = (await since(null)).cursor
  await slow.query(`begin; ${sale('2026-03-02 02:00+00')}`)
  await engine.sql(sale('2026-03-03 03:00+00'))
  const first = await since(start)
  expect(first.changes.map(({ first_bucket }) => first_bucket)).toContain('2026-03-03 03:00:00+00')
  expect(first.changes.map(({ first_bucket }) => first_bucket)).not.toContain('2026-03-02 02:00:00+00')
  await slow.query('commit')
  const second = await since(first.cursor)
  expect(second.changes.map(({ first_bucket }) => first_bucket)).toContain('2026-03-02 02:00:00+00')
  expect(second.changes.map(({ first_bucket }) => first_bucket)).not.toContain('2026-03-03 03:00:00+00')
})

it('tells of a level that was built again by itself, and of those above it', async () => {
  await engine.sql(sale('2026-03-01 10:00:30+00'))
  await engine.sql(`select cagg._fold_tail('shop."Sales"')`)
  const start = (await since(null)).cursor
  await engine.sql(`select cagg.refresh_continuous_aggregate('shop.sales_1m', '2026-03-01 10:00+00', '2026-03-01 10:10+00')`)
  const { changes } = await since(start)
  expect(new Set(changes.map(({ view_name }) => view_name))).toEqual(new Set(['shop.sales_1m', 'shop.sales_1d']))
})

it('says nothing of an update that moved nothing', async () => {
  const start = (await since(null)).cursor
  await engine.sql('update shop."Sales" set units = units where amount is null')
  await engine.sql('update shop."Sales" set units = 1 where false')
  expect((await since(start)).changes).toEqual([])
})

it('tells of rows that were deleted, by whatever statement, or moved to another bucket, and of no other change', async () => {
  const { cursor } = await since(null)
  const deleted = async (from: string) =>
    (await engine.sql<{ deleted: boolean }>(`select cagg.deleted_since('shop.sales_1d', $1) as deleted`, [from]))[0]?.deleted
  await engine.sql(sale('2026-03-01 12:00+00'))
  await engine.sql(`update shop."Sales" set amount = 60 where ts = '2026-03-01 12:00+00'`)
  expect(await deleted(cursor)).toBe(false)
  await engine.sql(`delete from shop."Sales" where ts = '2026-03-01 12:00+00'`)
  expect(await deleted(cursor)).toBe(true)
  expect(await deleted((await since(cursor)).cursor)).toBe(false)
  await engine.sql(sale('2026-03-01 12:00+00'))
  const before = (await since(null)).cursor
  await engine.sql(`update shop."Sales" set ts = ts + interval '2 days' where ts = '2026-03-01 12:00+00'`)
  expect(await deleted(before)).toBe(true)
  const slow = await connectForTest(engine.database)
  await slow.query('begin; truncate shop."Sales"')
  const meanwhile = (await since(null)).cursor
  expect(await deleted(meanwhile)).toBe(false)
  await slow.query('commit')
  expect(await deleted(meanwhile)).toBe(true)
})

it('refuses a text that is no cursor, and a cursor that the log no longer reaches back to', async () => {
  await expect(since('yesterday')).rejects.toMatchObject({ code: 'CA400' })
  const start = (await since(null)).cursor
  await engine.sql(sale('2026-03-01 11:00+00'))
  // What waits in the tail is a line, too. A line goes once no transaction of the whole cluster is older than it: other test files have some.
  await engine.sql(`select cagg._fold_tail('shop."Sales"')`)
  await expect
    .poll(
      async () => {
        await engine.sql(`select cagg._trim_changes('0 seconds')`)
        return since(start).then(
          () => 'still good',
          (error: { code: string }) => error.code,
        )
      },
      { timeout: 15_000 },
    )
    .toBe('CA410')
  expect((await since((await since(null)).cursor)).changes).toEqual([])
})
