// Retention: what is dropped from the raw rows stays in the aggregates; what is dropped from an aggregate is gone from it alone.
import { expect, it } from 'vitest'
import { useEngine } from './support.ts'

const engine = useEngine()

it('makes partitions for the days to come, once', async () => {
  await engine.sql(`select cagg.add_retention_policy('shop."Sales"', interval '10 years'); select cagg.run_maintenance()`)
  const partitions = () => engine.sql(`select count(*)::int as n from pg_inherits where inhparent = 'shop."Sales"'::regclass`)
  const [before] = await partitions()
  expect(before?.['n']).toBe(5 + 4)
  await engine.sql('select cagg.run_maintenance()')
  expect(await partitions()).toEqual([before])
  await engine.sql(`insert into shop."Sales" (ts, amount) values (now() + interval '2 days', 20)`)
})

it('lets one process at a time do the maintenance', async () => {
  const client = await engine.database.connect()
  await client.query('begin; select cagg.run_maintenance()')
  expect(await engine.sql('select cagg.run_maintenance() as done')).toEqual([{ done: false }])
  await client.query('rollback')
  await client.end()
})

it('keeps in the aggregates what the raw rows have lost, and merges what comes later', async () => {
  await engine.sql('select shop.fill(400, 0.1)')
  const kept = await engine.sql(`select * from shop.by_dimension_1h where bucket < '2026-03-03' order by 1, 2, 3, 4`)
  expect(kept.length).toBeGreaterThan(10)
  await engine.sql(`select cagg.add_retention_policy('shop."Sales"', (now() - '2026-03-03')::interval); select cagg.run_maintenance()`)
  const [oldest] = await engine.sql(`select min(ts) >= '2026-03-03' as dropped from shop."Sales"`)
  expect(oldest).toEqual({ dropped: true })
  expect(await engine.sql(`select * from shop.by_dimension_1h where bucket < '2026-03-03' order by 1, 2, 3, 4`)).toEqual(kept)
  await engine.expectExact()
  await engine.sql(`select cagg.ensure_partitions('shop."Sales"', '2026-03-02', '2026-03-02')`)
  const total = () => engine.sql(`select sum(n)::int as n from shop.by_dimension_1h where dimension = 'ALL' and bucket < '2026-03-03'`)
  const [before] = await total()
  await engine.sql(`insert into shop."Sales" (ts, amount, buyer) values ('2026-03-02 12:00+00', 30, 3)`)
  expect(await total()).toEqual([{ n: (before?.['n'] as number) + 1 }])
})

it('refuses to compute a minimum again where raw rows are gone', async () => {
  await expect(engine.sql(`delete from shop."Sales" where ts < '2026-03-03'`)).rejects.toMatchObject({ code: '55000', hint: /keep raw rows longer/ })
})

it('does no more in a call that drops partitions, since writers wait for that', async () => {
  await engine.sql(`create table shop.visits (ts timestamptz not null) partition by range (ts);
    select cagg.ensure_partitions('shop.visits', '2026-03-01', '2026-03-01'), cagg.ensure_partitions('shop.visits', now(), now());
    select cagg.create_continuous_aggregate('shop.visits_1h', $$ select cagg.time_bucket('1 hour', ts) as hour, count(*) as n from shop.visits group by 1 $$)`)
  // Under repeatable read no row brings the tail to the fold.
  await engine.sql(`begin isolation level repeatable read; insert into shop.visits values ('2026-03-01 12:00+00'), (now()); commit`)
  await engine.sql(`select cagg.add_retention_policy('shop.visits', (now() - '2026-03-03')::interval)`)
  const [tail] = await engine.sql<{ name: string }>(`select cagg._tail('shop.visits') as name`)
  const rows = async () => (await engine.sql(`select (select count(*)::int from shop.visits) as kept, (select count(*)::int from ${tail?.name}) as waiting`))[0]
  expect(await rows()).toEqual({ kept: 2, waiting: 2 })
  await engine.sql('select cagg.run_maintenance()')
  expect(await rows()).toEqual({ kept: 1, waiting: 2 })
  await engine.sql('select cagg.run_maintenance()')
  expect(await rows()).toEqual({ kept: 1, waiting: 0 })
})

it('drops old buckets of a fine level and leaves the coarser ones whole, late rows included', async () => {
  await engine.sql(`select cagg.add_retention_policy('shop.sales_1s', (now() - '2026-03-04')::interval); select cagg.run_maintenance()`)
  expect(await engine.sql(`select count(*)::int as n from shop.sales_1s where bucket < '2026-03-04'`)).toEqual([{ n: 0 }])
  await engine.sql(`insert into shop."Sales" (ts, amount, country) values ('2026-03-03 08:00+00', 30, 'US')`)
  expect(await engine.sql(`select count(*)::int as n from shop.sales_1s where bucket < '2026-03-04'`)).toEqual([{ n: 0 }])
  expect(await engine.sql(`select n::int from shop.sales_1m where bucket = '2026-03-03 08:00+00' and country = 'US'`)).toHaveLength(1)
  await engine.expectExact()
})

it('leaves what was dropped dropped once the policy is removed, and a late row makes no half bucket of it', async () => {
  await engine.sql(`select cagg.remove_retention_policy('shop.sales_1s')`)
  await engine.sql(`insert into shop."Sales" (ts, amount, country) values ('2026-03-03 08:00:01+00', 30, 'US')`)
  expect(await engine.sql(`select count(*)::int as n from shop.sales_1s where bucket < '2026-03-04'`)).toEqual([{ n: 0 }])
  await engine.expectExact()
})

it('computes a spoiled group for the last time before its rows are dropped', async () => {
  await engine.sql(`insert into shop."Sales" (ts, amount, buyer, country) values ('2026-03-03 09:00+00', 5000, 9, 'US'), ('2026-03-03 09:00+00', 4000, 9, 'US');
    delete from shop."Sales" where amount = 5000`)
  const highest = () => engine.sql(`select highest::int from shop.sales_1m where bucket = '2026-03-03 09:00+00' and country = 'US'`)
  expect(await highest()).toEqual([{ highest: 4000 }])
  await engine.sql(`select cagg.add_retention_policy('shop."Sales"', (now() - '2026-03-04')::interval); select cagg.run_maintenance()`)
  expect(await engine.sql(`select count(*)::int as n from shop."Sales" where ts < '2026-03-04'`)).toEqual([{ n: 0 }])
  expect(await highest()).toEqual([{ highest: 4000 }])
  await engine.expectExact()
})

it('merges a late row into time whose rows are dropped, and refuses to take it out again, but for what can be subtracted', async () => {
  await engine.sql(`select cagg.ensure_partitions('shop."Sales"', '2026-03-03', '2026-03-03')`)
  await engine.sql(`insert into shop."Sales" (ts, amount, buyer, country) values ('2026-03-03 09:00+00', 6000, 9, 'US')`)
  const [row] = await engine.sql(`select highest::int from shop.sales_1m where bucket = '2026-03-03 09:00+00' and country = 'US'`)
  expect(row).toEqual({ highest: 6000 })
  await expect(engine.sql(`delete from shop."Sales" where amount = 6000`)).rejects.toMatchObject({ code: '55000', hint: /keep raw rows longer/ })
  await expect(engine.sql(`update shop."Sales" set amount = 1 where amount = 6000`)).rejects.toMatchObject({ code: '55000' })
  // An update that takes no part of a minimum, maximum or sketch away needs no lost row.
  await engine.sql(`update shop."Sales" set amount = 7000 where amount = 6000`)
  await engine.expectExact()
})

it('does the maintenance once, however many processes call for it at a time', async () => {
  await engine.sql(`select cagg.ensure_partitions('shop."Sales"', '2026-03-01', '2026-03-02'); select shop.fill(100, 0.3)`)
  const calls = await Promise.all(Array.from({ length: 8 }, () => engine.sql('select cagg.run_maintenance() as done')))
  expect(calls.flat().some(({ done }) => done)).toBe(true)
  await engine.sql('select cagg.run_maintenance()')
  expect(await engine.sql(`select count(*)::int as n from shop."Sales" where ts < '2026-03-04'`)).toEqual([{ n: 0 }])
  await engine.expectExact()
})

it('is not touched by what happens to a partition that was detached', async () => {
  const day = 'shop."Sales_p20260304"'
  await engine.sql(`insert into shop."Sales" (ts, amount, buyer) select '2026-03-04'::timestamptz + i * interval '1 minute', 50 + i, i % 50 from generate_series(1, 200) as i`)
  const states = () => engine.sql('select * from shop.by_dimension_1h order by 1, 2, 3, 4')
  const before = await states()
  await engine.sql(`alter table shop."Sales" detach partition ${day}`)
  expect(await states()).toEqual(before)
  await engine.sql(`insert into ${day} (id, ts, amount, buyer) overriding system value values (-1, '2026-03-04 05:00+00', 70, 1);
    update ${day} set amount = 0; delete from ${day} where id % 2 = 0; truncate ${day}; drop table ${day}`)
  expect(await states()).toEqual(before)
})

it.each([
  ['a plain table', 'create table shop.refused (ts timestamptz)', '42809'],
  ['a table partitioned by a list', 'create table shop.refused (ts timestamptz, kind text) partition by list (kind)', '42809'],
  ['a table partitioned by integers', 'create table shop.refused (tick bigint) partition by range (tick)', '42809'],
  ['a table partitioned by more than the time', 'create table shop.refused (ts timestamptz, id int) partition by range (ts, id)', '42809'],
  ['what does not exist', 'select', '42P01'],
])('refuses a policy for %s, and goes on with its maintenance', async (_title, table, code) => {
  await engine.sql(table)
  await expect(engine.sql(`select cagg.add_retention_policy('shop.refused', '3 days')`)).rejects.toMatchObject({ code, hint: /partition/i })
  expect(await engine.sql('select cagg.run_maintenance() as done')).toEqual([{ done: true }])
  await engine.sql('drop table if exists shop.refused')
})

it('refuses to drop buckets of integers, which have no age', async () => {
  const create = (options = {}) =>
    engine.sql('select cagg.create_continuous_aggregate($1, $2, $3)', ['shop.by_units', `select cagg.time_bucket(2, units) as bucket, count(*) as n from shop."Sales" group by 1`, options])
  await expect(create({ retention: '1 day' })).rejects.toMatchObject({ code: '0A000', hint: /clock/ })
  await create()
  await expect(engine.sql(`select cagg.add_retention_policy('shop.by_units', '1 day')`)).rejects.toMatchObject({ code: '0A000', hint: /clock/ })
  await engine.sql(`select cagg.drop_continuous_aggregate('shop.by_units')`)
})

it('keeps in buckets that are part dropped what is dropped, through deletes and a truncate, and refuses what would need it', async () => {
  await engine.sql(`
    create table shop.ticks (ts timestamptz not null, tick int, v int) partition by range (ts);
    select cagg.ensure_partitions('shop.ticks', '2026-03-01', '2026-03-04');
    select cagg.create_continuous_aggregate('shop.ticks_10', 'select cagg.time_bucket(10, tick) as bucket, count(*) as n, sum(v) as total from shop.ticks group by 1');
    select cagg.create_continuous_aggregate('shop.ticks_1mon', $$ select cagg.time_bucket('1 month', ts) as bucket, count(*) as n, sum(v) as total from shop.ticks group by 1 $$);
    select cagg.create_continuous_aggregate('shop.ticks_1d', $$ select cagg.time_bucket('1 day', ts) as bucket, count(*) as n, max(v) as high from shop.ticks group by 1 $$);
    insert into shop.ticks select '2026-03-01'::timestamptz + i * interval '1 hour', i % 10, i from generate_series(0, 95) as i;
    select cagg.add_retention_policy('shop.ticks', (now() - '2026-03-03')::interval); select cagg.run_maintenance()`)
  const sums = () => engine.sql(`select n::int, total::int, (select n::int from shop.ticks_1mon) as month from shop.ticks_10`)
  expect(await sums()).toEqual([{ n: 96, total: (95 * 96) / 2, month: 96 }])
  await engine.sql('delete from shop.ticks where v = 95')
  expect(await sums()).toEqual([{ n: 95, total: (94 * 95) / 2, month: 95 }])
  await expect(engine.sql(`select cagg.refresh_continuous_aggregate('shop.ticks_10', null::text, null::text)`)).rejects.toMatchObject({ code: '55000', hint: /stay as they are/ })
  await engine.sql(`truncate shop.ticks`)
  expect(await sums()).toEqual([{ n: 48, total: (47 * 48) / 2, month: 48 }])
  expect(await engine.sql(`select count(*)::int as days from shop.ticks_1d`)).toEqual([{ days: 2 }])
  await engine.sql(`select cagg.create_continuous_aggregate('shop.ticks_high', 'select cagg.time_bucket(10, tick) as bucket, max(v) as high from shop.ticks group by 1');
    insert into shop.ticks values ('2026-03-03 01:00+00', 3, 99), ('2026-03-03 02:00+00', 3, 98)`)
  await expect(engine.sql('delete from shop.ticks where v = 99')).rejects.toMatchObject({ code: '55000', hint: /keep raw rows longer/ })
  await expect(engine.sql('truncate shop.ticks')).rejects.toMatchObject({ code: '55000' })
})
