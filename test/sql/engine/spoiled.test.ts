// A group that lost rows is computed again from the level below, or from the rows where there is none or it has dropped that time.
import { beforeAll, expect, it } from 'vitest'
import { connectForTest } from '../../support/database.ts'
import { useEngine } from './support.ts'

const engine = useEngine({ aggregates: false })

beforeAll(async () => {
  await engine.sql(`
    create table shop.readings (ts timestamptz not null, place text, v int);
    create index on shop.readings (ts);
    select cagg.create_continuous_aggregate('shop.readings_1m', $$
      select cagg.time_bucket('1 minute', ts) as bucket, place, count(*) as n, min(v) as low, max(v) as high, cagg.first(v, ts) as first, cagg.approx_count_distinct(v) as kinds
      from shop.readings group by 1, 2 $$);
    select cagg.create_continuous_aggregate('shop.readings_1h', $$
      select cagg.time_bucket('1 hour', bucket) as bucket, lower(place) as place, sum(n) as n, min(low) as low, max(high) as high,
        cagg.first(first, bucket) as first, cagg.approx_count_distinct(kinds) as kinds
      from shop.readings_1m where place is distinct from 'Hidden' group by 1, 2 $$);
    select cagg.create_continuous_aggregate('shop.readings_1d', $$
      select cagg.time_bucket('1 day', bucket, 'Asia/Kathmandu') as bucket, place, sum(n) as n, min(low) as low, max(high) as high, cagg.first(first, bucket) as first,
        cagg.approx_count_distinct(kinds) as kinds from shop.readings_1h group by 1, 2 $$);
    insert into shop.readings select '2026-03-01'::timestamptz + i * interval '1 minute', (array['Here', 'here', null, 'Hidden'])[1 + i % 4], i from generate_series(0, 4000) as i`)
})

it('is exact at every level after removals of extremes, before and after maintenance', async () => {
  for (const statement of ['delete from shop.readings where v % 1000 in (997, 998, 999)', 'update shop.readings set v = 5 where v in (select max(v) from shop.readings group by place)']) {
    await engine.sql(statement)
    await engine.expectExact()
  }
  await engine.sql('select cagg.run_maintenance()')
  await engine.expectExact()
})

it('reads the level below, not the rows: what was written past the triggers is in none', async () => {
  const client = await connectForTest(engine.database)
  await client.query(`set session_replication_role = replica; insert into shop.readings values ('2026-03-02 05:00+00', 'here', 1000000)`)
  const high = () => engine.sql(`select high from shop.readings_1d where place = 'here' and bucket <= '2026-03-02 05:00+00' order by bucket desc limit 1`)
  const [before] = await high()
  await engine.sql(`delete from shop.readings where v = $1`, [before?.['high']])
  const [after] = await high()
  expect(after?.['high']).toBeLessThan(before?.['high'] as number)
  await client.query(`delete from shop.readings where v = 1000000`)
  await engine.expectExact()
})

it('is exact where more of a day is spoiled than is worth looking at group by group', async () => {
  await engine.sql('update shop.readings set v = v - 1; analyze shop.readings')
  await engine.expectExact()
})

it('reads the rows where the level below has dropped that time', async () => {
  await engine.sql(`select cagg.add_retention_policy('shop.readings_1m', (now() - '2026-03-03')::interval); select cagg.run_maintenance()`)
  const lowest = () => engine.sql(`select min(low) as low from shop.readings_1h`)
  const [before] = await lowest()
  await engine.sql(`delete from shop.readings where v = $1`, [before?.['low']])
  expect((await lowest())[0]?.['low']).toBeGreaterThan(before?.['low'] as number)
  await engine.expectExact()
  await engine.sql('select cagg.run_maintenance()')
  await engine.expectExact()
})
