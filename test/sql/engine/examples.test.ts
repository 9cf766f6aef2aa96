// Worked examples, by hand.
import { expect, it } from 'vitest'
import { useEngine } from './support.ts'

const engine = useEngine({ aggregates: false })

it('keeps the row of a group whose measures are all NULL, and drops it with its last raw row', async () => {
  await engine.sql(`create table shop.weather (day date, city text, degrees int);
    select cagg.create_continuous_aggregate('shop.weather_1d', $$
      select cagg.time_bucket('1 day', day) as day, city, avg(degrees) as avg, max(degrees) as max, min(degrees) as min from shop.weather group by 1, 2 $$);
    insert into shop.weather values ('2018-11-01', 'NYC', 45), ('2018-11-01', 'NYC', 55), ('2018-11-01', 'NYC', 65), ('2018-11-01', 'NYC', 75), ('2018-11-01', 'NYC', 85),
      ('2018-11-02', 'NYC', 10), ('2018-11-02', 'NYC', 20), ('2018-11-02', 'NYC', null), ('2018-11-03', 'NYC', null)`)
  const read = () => engine.sql(`select day::text, round(avg, 4)::float as avg, max, min from shop.weather_1d order by day`)
  expect(await read()).toEqual([
    { day: '2018-11-01', avg: 65, max: 85, min: 45 },
    { day: '2018-11-02', avg: 15, max: 20, min: 10 },
    { day: '2018-11-03', avg: null, max: null, min: null },
  ])
  await engine.sql(`update shop.weather set degrees = degrees + 100 where degrees = 20`)
  expect((await read())[1]).toEqual({ day: '2018-11-02', avg: 65, max: 120, min: 10 })
  await engine.sql(`delete from shop.weather where day = '2018-11-02'`)
  expect((await read()).map(({ day }) => day)).toEqual(['2018-11-01', '2018-11-03'])
})

it('rolls up 1 → 5 → 10 over integers, late rows included, at once', async () => {
  await engine.sql(`create table shop.ticks (t int, v int);
    select cagg.create_continuous_aggregate('shop.ticks_5', $$ select cagg.time_bucket(5, t) as t, sum(v) as v from shop.ticks group by 1 $$);
    select cagg.create_continuous_aggregate('shop.ticks_10', $$ select cagg.time_bucket(10, t) as t, sum(v) as v from shop.ticks_5 group by 1 $$);
    insert into shop.ticks values (1, 10), (2, 5), (5, 20)`)
  const read = async () => [
    await engine.sql('select t, v::int from shop.ticks_5 order by t'),
    await engine.sql('select t, v::int from shop.ticks_10 order by t'),
  ]
  expect(await read()).toEqual([[{ t: 0, v: 15 }, { t: 5, v: 20 }], [{ t: 0, v: 35 }]])
  await engine.sql('insert into shop.ticks values (2, 2), (10, 2)')
  expect(await read()).toEqual([
    [{ t: 0, v: 17 }, { t: 5, v: 20 }, { t: 10, v: 2 }],
    [{ t: 0, v: 37 }, { t: 10, v: 2 }],
  ])
  await engine.expectExact()
})

it('groups NULL keys together', async () => {
  await engine.sql(`create table shop.flights (day timestamp, airport text, n int);
    select cagg.create_continuous_aggregate('shop.flights_1d', $$ select cagg.time_bucket('1 day', day) as day, airport, sum(n) as n from shop.flights group by 1, 2 $$);
    insert into shop.flights values ('2026-01-01', 'SFO', 55), ('2026-01-02', null, 100);
    insert into shop.flights values ('2026-01-02', null, 200)`)
  expect(await engine.sql('select day::date::text, airport, n::int from shop.flights_1d order by 1')).toEqual([
    { day: '2026-01-01', airport: 'SFO', n: 55 },
    { day: '2026-01-02', airport: null, n: 300 },
  ])
})

it('counts months in UTC, to the microsecond at their ends', async () => {
  await engine.sql(`create table shop.days (ts timestamptz);
    select cagg.create_continuous_aggregate('shop.days_1mon', $$ select cagg.time_bucket('1 month', ts) as month, count(*) as n from shop.days group by 1 $$);
    insert into shop.days select generate_series('2024-01-01 12:00+00', '2024-12-31 12:00+00', interval '1 day')`)
  const read = async () => (await engine.sql('select n::int from shop.days_1mon order by month')).map(({ n }) => n)
  expect(await read()).toEqual([31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
  await engine.sql(`insert into shop.days values ('2024-02-29 23:59:59.999999+00'), ('2024-03-01 00:00+00')`)
  expect((await read()).slice(1, 3)).toEqual([30, 32])
  await expect(engine.sql(`select cagg.time_bucket('-1 month', now())`)).rejects.toMatchObject({ code: '22023' })
})

it.each(['0, 5', '-2, 5::bigint', '0::smallint, 5::smallint', '0, 5, 3'])('refuses a bucket of integers that is no wider than nothing: %s', async (call) => {
  await expect(engine.sql(`select cagg.time_bucket(${call})`)).rejects.toMatchObject({ code: '22023', hint: 'Use a width such as 10.' })
})

it('knows that days in Berlin have 23 and 25 hours', async () => {
  await engine.sql(`create table shop.hours (ts timestamptz);
    select cagg.create_continuous_aggregate('shop.berlin_days', $$ select cagg.time_bucket('1 day', ts, 'Europe/Berlin') as day, count(*) as n from shop.hours group by 1 $$);
    insert into shop.hours select generate_series('2025-03-01 00:00+01', '2025-11-01 00:00+01', interval '1 hour')`)
  const rows = await engine.sql(`select (day at time zone 'Europe/Berlin')::date::text as day, n::int from shop.berlin_days where n not in (24, 1) order by 1`)
  expect(rows).toEqual([{ day: '2025-03-30', n: 23 }, { day: '2025-10-26', n: 25 }])
  await engine.expectExact()
})

it('leaves rows out that have no time, one by one and in bulk', async () => {
  await engine.sql(`create table shop.undated (t int, v int);
    select cagg.create_continuous_aggregate('shop.undated_10', $$ select cagg.time_bucket(10, t) as t, count(*) as n, max(v) as v from shop.undated group by 1 $$);
    insert into shop.undated values (null, 1); insert into shop.undated values (null, 2), (3, 4)`)
  await engine.sql(`insert into shop.undated select nullif(i % 20, 7), i from generate_series(1, 600) as i`)
  await engine.expectExact()
  await engine.sql(`update shop.undated set t = null where t = 3; update shop.undated set t = 12 where t is null and v > 300; delete from shop.undated where t is null`)
  await engine.expectExact()
  expect(await engine.sql('select t from shop.undated_10 order by 1')).toEqual([{ t: 0 }, { t: 10 }])
})
