// A group that lost rows is computed again from the level below, or from the rows where there is none or it has dropped that time.
import { beforeAll, expect, it } from 'vitest'
import { connectForTest } from '../../support/database.ts'
import { tailOf, useEngine } from './support.ts'

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

/** A table and its aggregate, kept with so many rows in the tail; the rows of its states that are marked. */
async function makeVisits(name: string, tailRows: number) {
  await engine.sql(`
    ${tailOf(tailRows)}
    create table shop.${name} (ts timestamptz not null, v int);
    select cagg.create_continuous_aggregate('shop.${name}_1h', $$
      select cagg.time_bucket('1 hour', ts) as bucket, count(*) as n, max(v) as high, cagg.approx_count_distinct(v) as kinds from shop.${name} group by 1 $$);
    insert into shop.${name} select '2026-03-01 10:00+00', i from generate_series(1, 30) as i;
    select cagg.run_maintenance()`)
  const [store] = await engine.sql<{ name: string }>(`select cagg._store(a) as name from cagg._aggregates as a where view_name = '${name}_1h'`)
  return { insert: `insert into shop.${name} values ('2026-03-01 10:30+00', $1)`, marked: async () => (await engine.sql(`select from ${store?.name} where spoiled`)).length }
}

it('keeps one mark of however many removals from a group that is never without a writer', async () => {
  const { insert, marked } = await makeVisits('visits', 1)
  const [writer, reader] = await Promise.all([connectForTest(engine.database), connectForTest(engine.database)])
  // It brings the tail to the fold: until it commits nothing is cleaned.
  await writer.query('begin')
  await writer.query(insert, [50])
  for (let v = 30; v > 10; v--) await engine.sql('delete from shop.visits where v = $1', [v])
  expect(await marked()).toBe(20)
  await reader.query(`begin isolation level repeatable read; select from shop.visits`)
  await engine.sql('delete from shop.visits where v = 10; select cagg.run_maintenance()')
  expect(await marked()).toBe(1)
  await engine.expectExact()
  await engine.sql('delete from shop.visits where v = 9; select cagg.run_maintenance()')
  expect(await marked()).toBe(1)
  await writer.query('commit')
  await engine.expectExact()
  expect((await reader.query(`select cagg.drift('shop.visits_1h')::int as drift, high from shop.visits_1h`)).rows).toEqual([{ drift: 0, high: 10 }])
  await engine.sql('select cagg.run_maintenance()')
  expect(await marked()).toBe(0)
  await engine.expectExact()
})

it('cleans a group into whose tail rows keep coming, unless they went again', async () => {
  const { insert, marked } = await makeVisits('calls', 1_000_000)
  const [tail] = await engine.sql<{ name: string }>(`select cagg._tail('shop.calls') as name`)
  const holder = await connectForTest(engine.database)
  // Rows that are locked stay in the tail, as such do that come after it was folded.
  const maintainWhileItWaits = async (v: number, statement: string) => {
    await engine.sql(insert, [v])
    await holder.query(`begin; select from ${tail?.name} for update`)
    await engine.sql(`${statement}; select cagg.run_maintenance()`)
    await engine.expectExact()
    return await marked()
  }
  expect(await maintainWhileItWaits(40, 'delete from shop.calls where v = 30')).toBe(0)
  await holder.query('commit')
  expect(await maintainWhileItWaits(50, 'delete from shop.calls where v = 50')).toBe(1)
  await holder.query('commit')
  await engine.sql('select cagg.run_maintenance()')
  expect(await marked()).toBe(0)
  await engine.expectExact()
})
