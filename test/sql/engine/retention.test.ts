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

it('drops old buckets of a fine level and leaves the coarser ones whole, late rows included', async () => {
  await engine.sql(`select cagg.add_retention_policy('shop.sales_1s', (now() - '2026-03-04')::interval); select cagg.run_maintenance()`)
  expect(await engine.sql(`select count(*)::int as n from shop.sales_1s where bucket < '2026-03-04'`)).toEqual([{ n: 0 }])
  await engine.sql(`insert into shop."Sales" (ts, amount, country) values ('2026-03-03 08:00+00', 30, 'US')`)
  expect(await engine.sql(`select count(*)::int as n from shop.sales_1s where bucket < '2026-03-04'`)).toEqual([{ n: 0 }])
  expect(await engine.sql(`select n::int from shop.sales_1m where bucket = '2026-03-03 08:00+00' and country = 'US'`)).toHaveLength(1)
  await engine.expectExact()
})
