// Sums, averages and deviations to the digit: floats, and numerics of any scale.
import { beforeEach, expect, it } from 'vitest'
import { useEngine } from './support.ts'

const engine = useEngine({ aggregates: false })

beforeEach(async () => {
  await engine.sql(`
    select cagg.drop_continuous_aggregate(view_name, true) from cagg.continuous_aggregates where view_name = 'shop.readings_1m';
    drop table if exists shop.readings;
    create table shop.readings (id int generated always as identity, ts timestamptz, f float8, r real, d numeric);
    select cagg.create_continuous_aggregate('shop.readings_1m', $$
      select cagg.time_bucket('1 minute', ts) as bucket, sum(f) as sum, avg(f) as avg, stddev(f) as stddev, var_pop(f) as var_pop,
        sum(r) as real_sum, avg(r) as real_avg, variance(r) as real_variance,
        avg(d) as numeric_avg, stddev(d) as numeric_stddev, var_pop(d) as numeric_var_pop
      from shop.readings group by 1 $$);
    select cagg.create_continuous_aggregate('shop.readings_1h', $$
      select cagg.time_bucket('1 hour', bucket) as bucket, sum(sum) as sum, avg(avg) as avg, stddev(stddev) as stddev,
        sum(real_sum) as real_sum, avg(numeric_avg) as numeric_avg, stddev(numeric_stddev) as numeric_stddev
      from shop.readings_1m group by 1 $$)`)
})

const insert = (column: 'f' | 'r' | 'd', ...values: (number | string)[]) =>
  engine.sql(`insert into shop.readings (ts, ${column}) select '2026-03-01 10:00+00', unnest($1::text[])::${column === 'd' ? 'numeric' : 'float8'}`, [values.map(String)])

it('adds floats exactly: what came and went leaves nothing behind', async () => {
  await insert('f', 1e16, 1, -1e16)
  expect(await engine.sql('select sum, avg from shop.readings_1h')).toEqual([{ sum: 1, avg: 1 / 3 }])
  await insert('f', 1e300, 0.1, 0.2)
  await engine.sql('delete from shop.readings where abs(f) >= 1')
  expect(await engine.sql('select sum, avg from shop.readings_1h')).toEqual([{ sum: 0.3, avg: 0.15 }])
  await engine.expectExact()
})

it('gives NaN and infinities as PostgreSQL does, and forgets them with their rows', async () => {
  const [nan, infinity] = [Number.NaN, Number.POSITIVE_INFINITY]
  const read = async () => (await engine.sql('select sum, avg, stddev, var_pop from shop.readings_1m'))[0]
  await insert('f', 2, 'Infinity')
  expect(await read()).toEqual({ sum: infinity, avg: infinity, stddev: nan, var_pop: nan })
  await insert('f', '-Infinity')
  expect(await read()).toEqual({ sum: nan, avg: nan, stddev: nan, var_pop: nan })
  await engine.sql(`delete from shop.readings where f = '-Infinity'; update shop.readings set f = 4 where f = 'Infinity'`)
  expect(await read()).toEqual({ sum: 6, avg: 3, stddev: Math.SQRT2, var_pop: 1 })
  await engine.expectExact()
})

it('is infinite where a sum is beyond what a float holds, and zero where a variance is below', async () => {
  await insert('f', 1.7e308, 1.7e308)
  await insert('r', 3.3e38, 3.3e38)
  expect(await engine.sql('select sum, real_sum from shop.readings_1h')).toEqual([
    { sum: Number.POSITIVE_INFINITY, real_sum: Number.POSITIVE_INFINITY },
  ])
  await engine.sql('truncate shop.readings')
  await insert('f', 1e-200, 2e-200)
  expect(await engine.sql('select var_pop from shop.readings_1m')).toEqual([{ var_pop: 0 }])
  await engine.expectExact()
})

it('differs from PostgreSQL’s own float sums by no more than those depend on the order of rows', async () => {
  await engine.sql(`select setseed(0.1); insert into shop.readings (ts, f, r)
    select '2026-03-01 10:00+00', random() * 10 ^ (random() * 12 - 6), random() * 100 from generate_series(1, 2000)`)
  await engine.sql('delete from shop.readings where id % 3 = 0; update shop.readings set f = f * 3, r = r + 1 where id % 5 = 0')
  const [row] = await engine.sql<Record<string, number>>(`
    select a.sum / sum(f) - 1 as sum, a.avg / avg(f) - 1 as avg, a.stddev / stddev(f) - 1 as stddev, a.var_pop / var_pop(f) - 1 as var_pop,
      a.real_avg / avg(r) - 1 as real_avg, a.real_variance / variance(r) - 1 as real_variance
    from shop.readings, shop.readings_1m as a group by a.sum, a.avg, a.stddev, a.var_pop, a.real_avg, a.real_variance`)
  for (const error of Object.values(row ?? {})) expect(Math.abs(error)).toBeLessThan(1e-12)
  await engine.expectExact()
})

it.each([
  ['a row with more digits comes', `insert into shop.readings (ts, d) values ('2026-03-01 10:00+00', 1.123456789012345678901234)`],
  ['it goes again', 'delete from shop.readings where scale(d) > 20'],
  ['digits are updated away', 'update shop.readings set d = trunc(d) where id % 2 = 0'],
  ['whole numbers are left', 'delete from shop.readings where scale(d) > 0'],
])('averages numerics without a scale to the very digits of PostgreSQL, when %s', async (title, statement) => {
  await insert('d', 7, 2.5, 3.25, 4.1234, 1e3, 0.0001, 12)
  if (title.startsWith('it goes')) await insert('d', '0.000000000000000000000001')
  await engine.sql(statement)
  const digits = await engine.sql(`select numeric_avg::text, numeric_stddev::text, numeric_var_pop::text from shop.readings_1m`)
  expect(digits).toEqual(
    await engine.sql(`select avg(d)::text as numeric_avg, stddev(d)::text as numeric_stddev, var_pop(d)::text as numeric_var_pop from shop.readings`),
  )
  expect(await engine.sql('select numeric_avg::text, numeric_stddev::text from shop.readings_1h')).toEqual(
    await engine.sql('select avg(d)::text as numeric_avg, stddev(d)::text as numeric_stddev from shop.readings'),
  )
  await engine.expectExact()
})
