// A small shop of its own for engine tests: a partitioned source with every kind of column, and a dimension table.
import { afterAll, beforeAll, expect } from 'vitest'
import type { Database } from '../../../server/db/database.ts'
import { makeTestDatabase } from '../../support/database.ts'

const tables = `
  create schema shop;
  create table shop.buyers (id int primary key, gender text);
  insert into shop.buyers select i, case when i % 2 = 0 then 'M' else 'F' end from generate_series(1, 50) as i;
  create table shop."Sales" (
    id bigint generated always as identity, ts timestamptz not null, country text, kind text, buyer int,
    amount numeric(12, 2), units int, price numeric, primary key (ts, id)
  ) partition by range (ts);
  select cagg.ensure_partitions('shop."Sales"', '2026-03-01', '2026-03-05');
  create function shop.fill(p_rows int, p_seed float8) returns void language sql as $$
    select setseed(p_seed);
    insert into shop."Sales" (ts, country, kind, buyer, amount, units, price)
    select '2026-03-01'::timestamptz + random() * interval '4 days', (array['US', 'CN', null, 'DE'])[1 + floor(random() * 4)],
      (array['sale', 'return', 'gift', null])[1 + floor(random() * 4)], 1 + floor(random() * 50),
      case when random() < 0.1 then null else (random() * 1000)::numeric(12, 2) end, floor(random() * 5),
      case floor(random() * 40) when 0 then 'NaN' when 1 then 'Infinity' when 2 then '-Infinity' else random()::numeric end
    from generate_series(1, p_rows)
  $$;`

/** The aggregates most tests look at: every kind of state, joins, and a hierarchy from second to day. */
const aggregates = `
  select cagg.create_continuous_aggregate('shop.sales_1s', $$
    select cagg.time_bucket('1 second', ts) as bucket, coalesce(country, 'none') as country, kind, count(*) as n,
      count(*) filter (where kind in ('sale', 'gift')) as good, sum(amount) filter (where kind = 'sale') as amount,
      avg(amount) as average, max(amount) as highest, min(units) as fewest, cagg.distinct_sketch(buyer) as buyers
    from shop."Sales" where amount > 10 group by 1, 2, 3 $$);
  select cagg.create_continuous_aggregate('shop.sales_1m', $$
    select cagg.time_bucket('1 minute', bucket) as bucket, country, sum(n) as n, sum(good) as good, sum(amount) as amount,
      avg(average) as average, max(highest) as highest, min(fewest) as fewest, cagg.rollup(buyers) as buyers
    from shop.sales_1s where country <> 'DE' group by 1, 2 $$, '{"slots": 1}');
  select cagg.create_continuous_aggregate('shop.sales_1d', $$
    select cagg.time_bucket('1 day', m.bucket) as day, lower(m.country) as region, sum(m.n) as n, sum(m.amount) / sum(m.n) as per_sale,
      avg(average) as average, max(highest) - min(fewest) as spread, cagg.rollup(buyers) as buyers
    from shop.sales_1m as m group by 1, 2 having sum(m.n) > 2 $$, '{"slots": 4}');
  select cagg.create_continuous_aggregate('shop.by_dimension_1h', $$
    select cagg.time_bucket('1 hour', s.ts) as bucket, d.dimension, d.key, b.gender, count(*) as n, sum(s.amount) as amount, sum(s.units) as units
    from shop."Sales" as s join shop.buyers as b on b.id = s.buyer left join shop.buyers as next on next.id = s.buyer + 1
    cross join lateral (values ('ALL', ''), ('COUNTRY', s.country), ('KIND', coalesce(s.kind, 'none'))) as d (dimension, key)
    group by 1, 2, 3, 4 $$);
  select cagg.create_continuous_aggregate('shop.statistics_1h', $$
    select cagg.time_bucket('1 hour', ts) as bucket, stddev(amount) as stddev, var_pop(units) as variance, bool_and(units > 0) as all_sold,
      bool_or(kind = 'gift') as any_gift, cagg.approx_count_distinct(buyer) as buyers, sum(price) as price, max(price) - min(price) as spread
    from shop."Sales" group by 1 $$);
  select cagg.create_continuous_aggregate('shop.statistics_1d', $$
    select cagg.time_bucket('1 day', bucket) as bucket, stddev(stddev) as stddev, var_pop(variance) as variance, bool_and(all_sold) as all_sold,
      cagg.approx_count_distinct(buyers) as buyers, sum(price) as price from shop.statistics_1h group by 1 $$);`

export interface Engine {
  database: Database
  sql: <Row extends object = Record<string, unknown>>(text: string, values?: unknown[]) => Promise<Row[]>
  /** Every aggregate that exists equals its definition run now on the raw rows. */
  expectExact: () => Promise<void>
}

/** From now on aggregates that are created keep about so many rows in the tail of their source; 0: every statement is folded. */
export const tailOf = (rows: number) =>
  `create or replace function cagg._tail_rows() returns integer language sql immutable return ${rows};`

/** One database for the test file. `tailRows`: see `tailOf`. */
export function useEngine(options: { aggregates?: boolean; tailRows?: number } = {}): Engine {
  const engine = {} as Engine
  beforeAll(async () => {
    engine.database = await makeTestDatabase({ content: 'full' })
    engine.sql = async (text, values) => (await engine.database.pool.query(text, values)).rows
    engine.expectExact = async () => {
      const drifts = await engine.sql(
        `select view_name, cagg.drift(view_name)::int as drift from cagg.continuous_aggregates where raw_source not like 'public.%'`,
      )
      expect(drifts.length).toBeGreaterThan(0)
      expect(drifts.filter(({ drift }) => drift !== 0)).toEqual([])
    }
    if (options.tailRows !== undefined) await engine.sql(tailOf(options.tailRows))
    await engine.sql(tables + (options.aggregates === false ? '' : aggregates))
  })
  afterAll(() => engine.database?.close())
  return engine
}
