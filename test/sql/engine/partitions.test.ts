// Statements straight into a partition.
import { expect, it } from 'vitest'
import { connectForTest } from '../../support/database.ts'
import { useEngine } from './support.ts'

const engine = useEngine()
const day = 'shop."Sales_p20260302"'
// Before PostgreSQL 17 a partition does not know of the table's identity column.
const id = `nextval(pg_get_serial_sequence('shop."Sales"', 'id'))`

it.each([
  ['an insert', `insert into ${day} (id, ts, country, kind, buyer, amount, units, price) overriding system value select ${id}, '2026-03-02 10:00+00'::timestamptz + i * interval '1 minute', 'US', 'sale', i, i * 10, i % 3, 1.5 from generate_series(1, 50) as i`],
  ['an insert of one row', `insert into ${day} (id, ts, country, amount) overriding system value values (${id}, '2026-03-02 11:00+00', 'CN', 2000)`],
  ['an update', `update ${day} set amount = amount + 1, country = 'FR', ts = ts + interval '10 minutes' where id % 2 = 0 and ts < '2026-03-02 23:00+00'`],
  ['a delete of the extremes', `delete from ${day} where amount = (select max(amount) from ${day}) or units = 0`],
  ['an upsert', `insert into ${day} (id, ts, amount) overriding system value select id, ts, 3000 from ${day} where id % 3 = 0 on conflict (ts, id) do update set amount = excluded.amount`],
  ['a merge', `merge into ${day} as s using (select id from ${day} where id % 5 = 0) as o on s.id = o.id when matched and s.units > 1 then delete when matched then update set kind = 'gift'`],
  ['a truncate of it', `truncate ${day}`],
  ['rows after that', 'select shop.fill(200, 0.3)'],
  ['a truncate of two', `truncate ${day}, shop."Sales_p20260303"`],
  ['a truncate of the whole table', 'select shop.fill(200, 0.4); truncate shop."Sales"'],
  ['a truncate of one after the whole, in one transaction', `select shop.fill(200, 0.5); begin; truncate shop."Sales"; select shop.fill(100, 0.6); truncate ${day}; commit`],
  [
    'a merge that inserts before it updates',
    `set enable_hashjoin = off; set enable_mergejoin = off; merge into shop."Sales" as s using (
       select id, ts, id % 3 from shop."Sales" union all select -id, ts, 0 from shop."Sales" where id % 4 = 0 order by 2) as o (id, ts, choice) on s.id = o.id and s.ts = o.ts
     when matched and o.choice = 0 then delete when matched and o.choice = 1 then update set amount = amount + 1, country = 'MX'
     when not matched then insert (ts, amount, country) values (o.ts, 33, 'BR'); reset enable_hashjoin; reset enable_mergejoin`,
  ],
])('is exact after %s', async (_title, statement) => {
  await engine.sql('select shop.fill(100, 0.1)')
  await engine.sql(statement)
  await engine.expectExact()
})

it('covers partitions that are made later, by the engine at once and by others with the next maintenance', async () => {
  await engine.sql(`select cagg.ensure_partitions('shop."Sales"', '2026-03-06', '2026-03-06');
    insert into shop."Sales_p20260306" (id, ts, country, amount, units) overriding system value values (${id}, '2026-03-06 10:00+00', 'US', 50, 2)`)
  await engine.expectExact()
  await engine.sql(`create table shop.by_hand partition of shop."Sales" for values from ('2026-03-07') to ('2026-03-09') partition by range (ts);
    create table shop.by_hand_leaf partition of shop.by_hand for values from ('2026-03-07') to ('2026-03-08');
    select cagg.run_maintenance();
    insert into shop.by_hand_leaf (ts, id, country, amount) overriding system value values ('2026-03-07 10:00+00', 1, 'US', 50);
    insert into shop.by_hand (ts, id, country, amount) overriding system value values ('2026-03-07 11:00+00', 2, 'US', 50)`)
  await engine.expectExact()
  await engine.sql('truncate shop.by_hand')
  await engine.expectExact()
  await engine.sql('drop table shop.by_hand')
})

const attached = 'shop.by_hand'
const attach = `create table ${attached} (like shop."Sales" including defaults);
  insert into ${attached} (id, ts, country, kind, buyer, amount, units) overriding system value select i, '2026-04-01'::timestamptz + i * interval '5 minutes', 'US', 'sale', i % 9, i, i % 3 from generate_series(1, 200) as i;
  alter table shop."Sales" attach partition ${attached} for values from ('2026-04-01') to ('2026-04-02')`

it('has what a partition came with, and what was written straight into it, once maintenance has found it', async () => {
  await engine.sql(`${attach}; insert into shop."Sales" (ts, amount, buyer) values ('2026-04-01 10:00+00', 12, 3);
    insert into ${attached} (id, ts, amount) overriding system value values (-1, '2026-04-01 11:00+00', 5000); update ${attached} set amount = amount + 1 where id % 7 = 0`)
  await engine.sql('select cagg.run_maintenance()')
  await engine.expectExact()
  await engine.sql(`delete from ${attached} where amount > 100; drop table ${attached}; select cagg.refresh_continuous_aggregate(view_name, '2026-04-01', '2026-04-02') from cagg.continuous_aggregates where raw_source like 'shop%'`)
})

it('has it at once where the transaction that attaches calls for maintenance', async () => {
  await engine.sql(`begin; ${attach}; select cagg.run_maintenance(); commit`)
  await engine.expectExact()
  await engine.sql(`insert into ${attached} (id, ts, amount) overriding system value values (-1, '2026-04-01 11:00+00', 5000)`)
  await engine.expectExact()
})

it('counts rows that change no value of a group, too, so that the group stays when they go', async () => {
  await engine.sql(`select cagg.create_continuous_aggregate('shop.by_year', $$
      select cagg.time_bucket('1 year', ts) as bucket, country, cagg.percentile_sketch(price) as prices from shop."Sales" group by 1, 2 $$);
    insert into shop."Sales" (ts, price) values ('2026-03-03 10:00+00', 1);
    begin; create table shop.may (like shop."Sales" including defaults);
    insert into shop.may (id, ts) overriding system value select -i, '2026-05-01'::timestamptz + i * interval '1 hour' from generate_series(1, 20) as i;
    alter table shop."Sales" attach partition shop.may for values from ('2026-05-01') to ('2026-05-02'); select cagg.run_maintenance();
    delete from shop.may; drop table shop.may; commit`)
  await engine.expectExact()
  await engine.sql(`select cagg.drop_continuous_aggregate('shop.by_year')`)
})

it('keeps what a partition held that is gone when another one of its time is made by hand, and says so', async () => {
  const read = (and = '') => engine.sql(`select * from shop.by_dimension_1h where bucket >= '2026-04-01' and bucket < '2026-04-02' ${and} order by 1, 2, 3, 4`)
  const before = await read()
  const client = await connectForTest(engine.database)
  const told: unknown[] = []
  client.on('notice', ({ code, message }) => told.push([code, message]))
  await client.query(`drop table ${attached}; create table ${attached} partition of shop."Sales" for values from ('2026-04-01') to ('2026-04-02');
    insert into shop."Sales" (ts, amount, buyer, country) values ('2026-04-01 03:00+00', 12, 3, 'Atlantis'); select cagg.run_maintenance()`)
  expect(await read(`and dimension = 'COUNTRY' and key <> 'Atlantis'`)).toEqual(before.filter(({ dimension }) => dimension === 'COUNTRY'))
  expect(await read(`and key = 'Atlantis'`)).toHaveLength(1)
  expect(told).toContainEqual(['01000', expect.stringMatching(/shop.by_dimension_1h holds other rows .* shop.by_hand/)])
  await engine.sql(`select cagg.refresh_continuous_aggregate(view_name, '2026-04-01', '2026-04-02') from cagg.continuous_aggregates where raw_source like 'shop%'`)
  await engine.expectExact()
})

it('keeps what a detached partition held, whatever is written to that then', async () => {
  await engine.sql('select shop.fill(300, 0.7)')
  const read = () => engine.sql('select * from shop.by_dimension_1h order by 1, 2, 3, 4')
  const before = await read()
  await engine.sql(`alter table shop."Sales" detach partition ${day}`)
  expect(await read()).toEqual(before)
  await engine.sql(`insert into ${day} (id, ts, country, amount) overriding system value values (-1, '2026-03-02 10:00+00', 'US', 50); update ${day} set amount = 1; delete from ${day} where id % 2 = 0; truncate ${day}`)
  expect(await read()).toEqual(before)
})

it('leaves no trigger on any partition once the last aggregate is gone', async () => {
  await engine.sql(`select cagg.drop_continuous_aggregate(view_name, true) from cagg.continuous_aggregates
    where view_name in ('shop.sales_1s', 'shop.by_dimension_1h', 'shop.statistics_1h')`)
  expect(
    await engine.sql(`select tgname from pg_trigger where tgname like 'cagg%' and tgrelid in (select relid from pg_partition_tree('shop."Sales"'))`),
  ).toEqual([])
})
