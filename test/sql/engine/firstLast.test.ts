// The value of the earliest and of the latest row.
import { expect, it } from 'vitest'
import { useEngine } from './support.ts'

const engine = useEngine({ aggregates: false })

it('opens and closes each bucket with its earliest and latest row, at every level', async () => {
  await engine.sql(`
    create table shop.trades (id int generated always as identity, ts timestamptz, symbol text, price numeric(10, 2), seen bigint);
    select cagg.create_continuous_aggregate('shop.candles_1m', $$
      select cagg.time_bucket('1 minute', ts) as bucket, symbol, cagg.first(price, ts) as open, max(price) as high, min(price) as low,
        cagg.last(price, ts) as close, cagg.last(symbol, seen) filter (where price > 10) as seen from shop.trades group by 1, 2 $$);
    select cagg.create_continuous_aggregate('shop.candles_1h', $$
      select cagg.time_bucket('1 hour', c.bucket) as bucket, symbol, cagg.first(open, bucket) as open, cagg.last(close, c.bucket) as close,
        cagg.last(seen, bucket) as seen from shop.candles_1m as c group by 1, 2 $$);
    insert into shop.trades (ts, symbol, price) values ('2026-03-01 10:00:30+00', 'A', 12), ('2026-03-01 10:00:10+00', 'A', 9),
      ('2026-03-01 10:00:50+00', 'A', 10), ('2026-03-01 10:20+00', 'A', 11.5), ('1999-03-01 10:20+00', 'A', 1)`)
  expect(await engine.sql(`select open::float8, close::float8 from shop.candles_1m order by bucket`)).toEqual([
    { open: 1, close: 1 },
    { open: 9, close: 10 },
    { open: 11.5, close: 11.5 },
  ])
  const hour = async () => (await engine.sql(`select open::float8, close::float8 from shop.candles_1h where bucket > '2026-01-01'`))[0]
  expect(await hour()).toEqual({ open: 9, close: 11.5 })
  await engine.sql(`delete from shop.trades where price = 9`)
  expect(await hour()).toEqual({ open: 12, close: 11.5 })
  await engine.sql(`update shop.trades set ts = ts - interval '20 minutes' where price = 11.5`)
  expect(await hour()).toEqual({ open: 11.5, close: 10 })
  await engine.expectExact()
})

it('is exact under random writes, rows of one time and NULL values included', async () => {
  for (const statement of [
    `insert into shop.trades (ts, symbol, price, seen) select '2026-03-01 10:00+00'::timestamptz + i % 300 * interval '1 second',
       'S' || i % 3, nullif(i % 17, 0), nullif((i * 31) % 11 - 5, 3) from generate_series(1, 900) as i`,
    `update shop.trades set price = price + 1, seen = seen - 3 where id % 7 = 0`,
    `delete from shop.trades where id % 5 = 0`,
    `update shop.trades set ts = null where id % 50 = 1`,
  ]) {
    await engine.sql(statement)
    await engine.expectExact()
  }
})

it('gives the aggregate by hand what the engine keeps', async () => {
  const [row] = await engine.sql(`select bool_and(open is not distinct from first and close is not distinct from last) as same from (
    select open, close, (select cagg.first(price, ts) from shop.trades as t where t.symbol = c.symbol and cagg.time_bucket('1 minute', ts) = bucket) as first,
      (select cagg.last(price, ts) from shop.trades as t where t.symbol = c.symbol and cagg.time_bucket('1 minute', ts) = bucket) as last
    from shop.candles_1m as c) as compared`)
  expect(row).toEqual({ same: true })
})

it('refuses an order it cannot keep, and another time than the finer bucket', async () => {
  const create = (definition: string) => engine.sql('select cagg.create_continuous_aggregate($1, $2)', ['shop.refused', definition])
  await expect(create(`select cagg.time_bucket('1 hour', ts), cagg.first(price, symbol) from shop.trades group by 1`)).rejects.toMatchObject({
    code: '0A000',
    hint: /integer/,
  })
  await expect(
    create(`select cagg.time_bucket('1 hour', bucket), cagg.first(open, symbol) from shop.candles_1m group by 1`),
  ).rejects.toMatchObject({ code: '0A000', hint: /cagg\.first\(open, bucket\)/ })
})
