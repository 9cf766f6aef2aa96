// Percentiles: within 1 % of the value, merged, and taken away again.
import { expect, it } from 'vitest'
import { useEngine } from './support.ts'

const engine = useEngine({ aggregates: false })
const part = [0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1]

it.each([
  ['uniform', 'random() * 1000'],
  ['log-normal', 'exp(2 * sqrt(-2 * ln(1 - random())) * cos(6.283185307179586 * random()))'],
  ['heavy-tailed', '(1 - random()) ^ (-1 / 0.7)'],
  ['negative', '-exp(random() * 30 - 15)'],
  ['negative, zero and positive', `case when i % 10 = 0 then 0 else (random() - 0.5) * 1e6 end`],
  ['with infinities and NaN', `case i % 50 when 0 then 'NaN' when 1 then 'Infinity' when 2 then '-Infinity' else random() end`],
  ['the smallest and the largest floats', `case i % 3 when 0 then 5e-324 when 1 then -1.7976931348623157e308 else 1.7976931348623157e308 end`],
])('is within 1 %% of percentile_disc where values are %s', async (_title, value) => {
  const rows = await engine.sql<{ p: number; near: number; exact: number }>(
    `select p, cagg.percentile(p, sketch) as near, exact
     from (select setseed(0.3)) as seed,
       lateral (select cagg.percentile_sketch(v) as sketch, percentile_disc($1::float8[]) within group (order by v) as all_exact
         from (select (${value})::float8 as v from generate_series(1, 20000) as i) as values) as computed,
       lateral unnest($1::float8[], all_exact) as parts (p, exact)`,
    [part],
  )
  expect(rows).toHaveLength(part.length)
  for (const { near, exact } of rows) {
    if (exact === 0 || !Number.isFinite(exact)) expect(near).toBe(exact)
    else expect(Math.abs(near / exact - 1)).toBeLessThan(0.01)
  }
})

it('is null of no values, and ignores NULLs', async () => {
  const [row] = await engine.sql(`select cagg.approx_percentile(0.5, null::float8) as none, cagg.percentile(0.5, cagg.percentile_sketch(null::float8)) as empty,
    cagg.approx_percentile(0.5, v) as one from unnest('{null,1,null}'::float8[]) as v`)
  expect(row).toEqual({ none: null, empty: null, one: expect.closeTo(1, 1) })
  await expect(engine.sql('select cagg.percentile(95, cagg.percentile_sketch(1))')).rejects.toMatchObject({ code: '22003', hint: /0\.95/ })
})

it('gives the same from one sketch, from many merged, and row by row', async () => {
  const [row] = await engine.sql(`
    with v as (select i % 37 as part, (i * 7919 % 10007 - 3000)::float8 / 7 as v from generate_series(1, 20000) as i)
    select (select cagg.percentile_sketch(v) from v) = (select cagg.rollup(s) from (select cagg.percentile_sketch(v) as s from v group by part) as parts) as same,
      (select cagg.approx_percentile(0.9, v) from v) = (select cagg.percentile(0.9, cagg.percentile_sketch(v)) from v) as row_by_row`)
  expect(row).toEqual({ same: true, row_by_row: true })
})

it('rolls up from minute to day, and is exact through updates and deletes without reading the rows again', async () => {
  await engine.sql(`
    select cagg.create_continuous_aggregate('shop.prices_1m', $$
      select cagg.time_bucket('1 minute', ts) as bucket, country, cagg.approx_percentile(0.95, amount) as p95,
        cagg.approx_percentile(0.5, price) filter (where kind = 'sale') as median, cagg.percentile_sketch(amount) as amounts
      from shop."Sales" group by 1, 2 $$, '{"slots": 1}');
    select cagg.create_continuous_aggregate('shop.prices_1h', $$
      select cagg.time_bucket('1 hour', bucket) as bucket, cagg.approx_percentile(0.95, p95) as p95,
        cagg.approx_percentile(0.5, median) as median, cagg.rollup(amounts) as amounts
      from shop.prices_1m group by 1 $$);
    select cagg.create_continuous_aggregate('shop.prices_1d', $$
      select cagg.time_bucket('1 day', bucket) as bucket, cagg.percentile(0.95, cagg.rollup(amounts)) as p95, cagg.percentile(0.05, cagg.rollup(amounts)) as p5
      from shop.prices_1h group by 1 $$)`)
  for (const statement of [
    'select shop.fill(2000, 0.1)',
    `update shop."Sales" set amount = amount * 3, price = -price, ts = ts + interval '3 hours' where id % 4 = 0 and ts < '2026-03-04 20:00'`,
    'delete from shop."Sales" where id % 3 = 0',
    'update shop."Sales" set units = 1',
    `insert into shop."Sales" (ts, amount) select '2026-03-02 10:00+00', 10 + i / 10.0 from generate_series(1, 5000) as i`,
    'delete from shop."Sales" where id % 2 = 0',
  ]) {
    await engine.sql(statement)
    await engine.expectExact()
  }
  const [row] = await engine.sql<{ near: number; exact: number }>(`
    select p95 as near, percentile_disc(0.95) within group (order by amount)::float8 as exact from shop.prices_1d
    join shop."Sales" on cagg.time_bucket('1 day', ts) = bucket where bucket = '2026-03-02' group by p95`)
  expect(Math.abs((row?.near ?? 0) / (row?.exact ?? 1) - 1)).toBeLessThan(0.01)
  await engine.sql(`delete from shop."Sales"; select cagg.run_maintenance()`)
  const stores = await engine.sql<{ name: string }>(`select cagg._store(a) as name from cagg._aggregates as a where view_name like 'prices%'`)
  for (const { name } of stores) expect(await engine.sql(`select * from ${name}`)).toEqual([])
})

it.each([
  ['a percentile that is no constant', `select cagg.time_bucket('1 hour', ts), cagg.approx_percentile(units, amount) from shop."Sales" group by 1`, /0\.95/],
  ['a percentile beyond 1', `select cagg.time_bucket('1 hour', ts), cagg.approx_percentile(95, amount) from shop."Sales" group by 1`, /0\.95/],
  ['another percentile than the finer aggregate keeps', `select cagg.time_bucket('1 day', bucket), cagg.approx_percentile(0.5, p95) from shop.prices_1h group by 1`, /percentile_sketch/],
  ['percentile_cont', `select cagg.time_bucket('1 hour', ts), percentile_cont(0.5) within group (order by amount) from shop."Sales" group by 1`, /cagg\.approx_percentile/],
])('refuses %s', async (_title, definition, hint) => {
  await expect(engine.sql('select cagg.create_continuous_aggregate($1, $2)', ['shop.refused', definition])).rejects.toMatchObject({ code: '0A000', hint })
})
