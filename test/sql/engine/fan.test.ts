// A fan-out is folded before it is fanned out where the definition allows it, and as it stands where it does not.
import { beforeAll, expect, it } from 'vitest'
import { useEngine } from './support.ts'

const engine = useEngine({ aggregates: false })

beforeAll(() =>
  engine.sql(`
  select cagg.create_continuous_aggregate('shop.fanned_1h', $$
    select cagg.time_bucket('1 hour', s.ts) as bucket, d.dimension, d.key, s.units as units, count(*) as n, count(s.country) filter (where s.kind = 'sale') as sales,
      sum(s.amount) filter (where s.kind = 'sale') as amount, sum(s.price) filter (where s.amount > 500) as price, max(s.amount) as highest,
      cagg.distinct_sketch(s.buyer) as buyers, cagg.distinct_sketch(s.buyer) filter (where s.kind = 'gift') as givers
    from shop."Sales" as s
    cross join lateral (values ('ALL', ''), ('COUNTRY', coalesce(s.country, 'it''s none')), ('PLACE', s.country), ('KIND', s.kind)) as d (dimension, key)
    where s.amount > 20 group by 1, 2, 3, 4 $$);
  select cagg.create_continuous_aggregate('shop.fanned_1d', $$
    select cagg.time_bucket('1 day', bucket) as bucket, dimension, key, sum(n) as n, sum(price) as price, max(highest) as highest, cagg.rollup(givers) as givers
    from shop.fanned_1h group by 1, 2, 3 $$);`),
)

const isFolded = async (view: string) =>
  (await engine.sql(`select cagg._select_fanned(a, 'new_rows s') is not null as folded from cagg._aggregates as a where view_name = $1`, [view]))[0]!.folded

it('gives each branch the columns it looks at, and lets what distinct values are filtered by go apart', async () => {
  expect(await isFolded('fanned_1h')).toBe(true)
  const [row] = await engine.sql<{ text: string }>(
    `select cagg._select_fanned(a, 'new_rows s') as text from cagg._aggregates as a where view_name = 'fanned_1h'`,
  )
  const [together, apart] = row!.text.split(') union all ')
  expect(together).toContain('as cagg_hash')
  expect(together).not.toContain(`'KIND'`)
  expect(apart).toContain(`'KIND'`)
})

it.each([
  ['branches that may share a group', `values ('A', s.country), (s.kind, 'x')`, '', 'count(*)'],
  ['an aggregate of what is fanned out', `values ('A', 1), ('B', s.units)`, '', 'sum(d.key)'],
  ['percentiles', `values ('A', s.country), ('B', s.kind)`, '', 'cagg.percentile_sketch(s.amount)'],
  ['a condition on what is fanned out', `values ('A', s.country), ('B', s.kind)`, `where d.key <> 'x'`, 'count(*)'],
])('folds %s as it stands, and exactly', async (_, values, where, call) => {
  await engine.sql(`select cagg.create_continuous_aggregate('shop.plain', $$
    select cagg.time_bucket('1 hour', s.ts) as bucket, d.dimension, ${call} as value
    from shop."Sales" as s cross join lateral (${values}) as d (dimension, key) ${where} group by 1, 2 $$)`)
  expect(await isFolded('plain')).toBe(false)
  await engine.sql('select shop.fill(600, 0.7)')
  await engine.expectExact()
  await engine.sql(`select cagg.drop_continuous_aggregate('shop.plain')`)
})

it('is exact for many rows at once, rows one by one, and both taken away again', async () => {
  await engine.sql('select shop.fill(3000, 0.3); select shop.fill(5, 0.4)')
  await engine.expectExact()
  await engine.sql(`update shop."Sales" set country = null, kind = 'gift' where id % 3 = 0`)
  await engine.sql('delete from shop."Sales" where id % 4 = 0')
  await engine.expectExact()
})

it.each([
  ['no key at all', 'count(*) as n', '1'],
  ['a key that branches share', 'd.key, count(*) as n, sum(s.amount) as amount', '1, 2'],
  ['nothing but a count', 'd.dimension, count(*) as n', '1, 2'],
])('is exact with %s', async (_title, columns, groups) => {
  await engine.sql('truncate shop."Sales"')
  await engine.sql('select cagg.create_continuous_aggregate($1, $2)', [
    'shop.fanned_otherwise',
    `select cagg.time_bucket('1 day', s.ts) as bucket, ${columns} from shop."Sales" as s
     cross join lateral (values ('ALL', ''), ('COUNTRY', s.country), ('KIND', s.kind)) as d (dimension, key) group by ${groups}`,
  ])
  for (const statement of [
    'select shop.fill(60, 0.4)',
    `update shop."Sales" set country = 'FR' where id % 3 = 0`,
    'delete from shop."Sales" where id % 4 = 0',
    `insert into shop."Sales" (ts, country) values ('2026-03-02', 'FR')`,
  ]) {
    await engine.sql(statement)
    await engine.expectExact()
  }
  await engine.sql(`select cagg.drop_continuous_aggregate('shop.fanned_otherwise')`)
})
