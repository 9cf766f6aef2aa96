// An aggregate equals its definition run on the raw rows, after every kind of statement.
import { expect, it } from 'vitest'
import { connectForTest } from '../../support/database.ts'
import { useEngine } from './support.ts'

// So few that some statements wait in the tail, some fold it, and some are folded at once.
const engine = useEngine({ tailRows: 20 })

it('is back-filled with the rows that were there before it', async () => {
  await engine.sql('select shop.fill(500, 0.1)')
  await engine.sql(`select cagg.create_continuous_aggregate('shop.late_comer', $$
    select cagg.time_bucket('15 minutes', ts) as bucket, kind, count(*) as n from shop."Sales" group by 1, 2 $$)`)
  const [row] = await engine.sql('select sum(n)::int as n, (select count(*)::int from shop."Sales") as rows from shop.late_comer')
  expect(row).toEqual({ n: 500, rows: 500 })
  await engine.expectExact()
})

it.each([
  ['insert', 'select shop.fill(800, 0.2)'],
  ['an insert of no rows', 'insert into shop."Sales" (ts) select now() where false'],
  ['NULL keys and NULL measures', `insert into shop."Sales" (ts) values ('2026-03-01 05:00+00'), ('2026-03-01 05:00+00')`],
  ['an update that moves rows across buckets and groups', `update shop."Sales" set ts = ts + interval '7 hours', country = 'FR', kind = 'gift' where id % 5 = 0 and ts < '2026-03-04'`],
  ['an update across partitions', `update shop."Sales" set ts = ts + interval '1 day' where id % 7 = 0 and ts < '2026-03-03'`],
  ['an update that changes nothing', 'update shop."Sales" set units = units'],
  ['an update in and out of the where clause', `update shop."Sales" set amount = case when amount > 500 then 1 else 600 end where id % 3 = 0`],
  ['a delete', 'delete from shop."Sales" where id % 4 = 0'],
  ['a delete of the extremes', 'delete from shop."Sales" where amount in (select max(amount) from shop."Sales" group by country)'],
  ['a delete of NaN and infinities', `delete from shop."Sales" where price in ('NaN', 'Infinity')`],
  ['delete using', `delete from shop."Sales" as s using shop.buyers as b where b.id = s.buyer and b.gender = 'M' and s.units = 3`],
  ['on conflict do update', `insert into shop."Sales" (id, ts, amount, buyer) overriding system value
     select id, ts, 77, 7 from shop."Sales" where id % 6 = 0 on conflict (ts, id) do update set amount = excluded.amount, kind = 'sale'`],
  ['merge', `merge into shop."Sales" as s using (select id, ts from shop."Sales" where id % 11 = 0) as o on s.id = o.id and s.ts = o.ts
     when matched and s.units > 2 then delete when matched then update set amount = 42 when not matched then do nothing`],
  ['a writable CTE that touches the source twice', `with gone as (delete from shop."Sales" where id % 13 = 0 returning *)
     insert into shop."Sales" (ts, country, amount, kind) select ts, 'BE', amount, kind from gone`],
])('is exact after %s', async (_title, statement) => {
  await engine.sql(statement)
  await engine.expectExact()
})

it('counts nothing of what was rolled back to a savepoint', async () => {
  const client = await connectForTest(engine.database)
  await client.query('begin; select shop.fill(50, 0.3); savepoint here; select shop.fill(500, 0.4); delete from shop."Sales" where units = 1')
  await client.query('rollback to here; select shop.fill(20, 0.5); commit')
  await engine.expectExact()
})

it('is exact inside the transaction that writes, before it commits', async () => {
  const client = await connectForTest(engine.database)
  await client.query('begin; select shop.fill(50, 0.6)')
  const { rows } = await client.query(`select cagg.drift('shop.sales_1d')::int as drift`)
  expect(rows).toEqual([{ drift: 0 }])
  await client.query('rollback')
  await engine.expectExact()
})

it('is empty after truncate, and exact after the rows that follow', async () => {
  await engine.sql('truncate shop."Sales"')
  expect(await engine.sql('select count(*)::int as n from shop.sales_1s')).toEqual([{ n: 0 }])
  await engine.sql('select shop.fill(300, 0.7)')
  await engine.expectExact()
})

it('stays exact through compaction, and compaction leaves one row a group', async () => {
  for (let turn = 0; turn < 3; turn++)
    await engine.sql(
      `insert into shop."Sales" (ts, country, buyer, amount) select '2026-03-02 09:00+00', 'US', i + ${turn} * 300, 20 from generate_series(1, 500) as i`,
    )
  await engine.expectExact()
  const [store] = await engine.sql<{ name: string }>(
    `select cagg._store(a) as name from cagg._aggregates as a where view_name = 'sales_1d'`,
  )
  const rows = () => engine.sql(`select count(*)::int as n from ${store?.name} where slot > 0`)
  expect((await rows())[0]?.['n']).toBeGreaterThan(0)
  await engine.sql('select cagg.run_maintenance()')
  expect(await rows()).toEqual([{ n: 0 }])
  await engine.expectExact()
})

it('shows no group that has lost its rows, and maintenance removes what is left of it', async () => {
  await engine.sql(`insert into shop."Sales" (ts, country, amount) values ('2026-03-03 03:03:03+00', 'Atlantis', 50)`)
  await engine.sql(`update shop."Sales" set country = 'US' where country = 'Atlantis'`)
  expect(await engine.sql(`select * from shop.sales_1m where country = 'Atlantis'`)).toEqual([])
  const [store] = await engine.sql<{ name: string }>(
    `select cagg._store(a) as name from cagg._aggregates as a where view_name = 'by_dimension_1h'`,
  )
  await engine.sql('select cagg.run_maintenance()')
  expect(await engine.sql(`select * from ${store?.name} where n = 0`)).toEqual([])
  await engine.expectExact()
})

it('tells the truth: rows written while triggers were off are drift, and a refresh puts them right', async () => {
  const client = await connectForTest(engine.database)
  await client.query(`set session_replication_role = replica; select shop.fill(100, 0.8)`)
  const [before] = await engine.sql(`select cagg.drift('shop.by_dimension_1h')::int as drift`)
  expect(before?.['drift']).toBeGreaterThan(0)
  for (const { view_name } of await engine.sql<{ view_name: string }>(
    `select view_name from cagg.continuous_aggregates where raw_source not like 'public.%'`,
  ))
    await engine.sql('select cagg.refresh_continuous_aggregate($1, null::text, null::text)', [view_name])
  await engine.expectExact()
})

it('refreshes only the buckets that lie wholly inside the window', async () => {
  const client = await connectForTest(engine.database)
  await client.query(`set session_replication_role = replica;
    insert into shop."Sales" (ts, amount, buyer) values ('2026-03-02 10:30+00', 99, 1), ('2026-03-02 12:30+00', 99, 1)`)
  await engine.sql(`select cagg.refresh_continuous_aggregate('shop.by_dimension_1h', '2026-03-02 10:00+00'::timestamptz, '2026-03-02 12:59+00'::timestamptz)`)
  const differing = await engine.sql(`select bucket::text from (
    select cagg.time_bucket('1 hour', ts) as bucket, count(*) as n from shop."Sales" where buyer between 1 and 50 group by 1
    except all select bucket, sum(n) from shop.by_dimension_1h where dimension = 'ALL' group by 1) as d`)
  expect(differing).toEqual([{ bucket: '2026-03-02 12:00:00+00' }])
})
