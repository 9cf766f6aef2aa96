// Distinct counts: exact while they are few, close beyond, merged without counting twice.
// SKETCH_VALUES sets up to how many; `npm run test:sketches` counts to 10 million.
import { expect, it } from 'vitest'
import { useEngine } from './support.ts'

const engine = useEngine({ aggregates: false })
const most = Number(process.env['SKETCH_VALUES'] ?? 300_000)

it.each(['i', 'i::bigint', 'i::text', 'md5(i::text)::uuid', 'i::numeric / 7'])('counts %s exactly up to 1,000', async (value) => {
  for (const n of [0, 1, 1000]) {
    const [row] = await engine.sql(
      `select cagg.distinct_count(cagg.distinct_sketch(${value}))::int as n, cagg.approx_count_distinct(${value})::int as approximate
       from generate_series(1, $1::int) as i cross join generate_series(1, 2)`,
      [n],
    )
    expect(row).toEqual({ n, approximate: n })
  }
})

it(`is within 2 % up to ${most} values`, { timeout: 60_000 + most / 20 }, async () => {
  const errors: Record<string, number> = {}
  for (let n = 2000; n <= most; n = n === most ? n + 1 : Math.min(n * 5, most))
    for (const value of ['i', 'md5(i::text)::uuid']) {
      const [row] = await engine.sql<{ n: number }>(`select cagg.approx_count_distinct(${value})::int as n from generate_series(1, $1::int) as i`, [n])
      errors[`${n} ${value}`] = (row?.n ?? 0) / n - 1
    }
  for (const error of Object.values(errors)) expect(Math.abs(error)).toBeLessThan(0.02)
})

it.each([9_000, 20_000, 40_000, 150_000])('makes the same sketch of %d hashes as of all of them sorted', async (distinct) => {
  const [row] = await engine.sql(
    `with hashes as (select cagg._hash(i % $1::int) as hash from generate_series(1, $1::int * 5 / 2) as i)
    select cagg._sketch(array_agg(hash)) = (
      select array_agg(hash order by hash) from (select hash, row_number() over (partition by hash & 15 order by hash) as rank from (select distinct hash from hashes) as once) as ranked
      where rank <= 1024) as same from hashes`,
    [distinct],
  )
  expect(row).toEqual({ same: true })
})

it('merges sketches: the union of overlapping sets, each value once', async () => {
  const [few] = await engine.sql(`select cagg.distinct_count(cagg.rollup(s))::int as n from (
    select cagg.distinct_sketch(i) as s from generate_series(1, 600) as i union all select cagg.distinct_sketch(i) from generate_series(301, 900) as i) as parts`)
  expect(few).toEqual({ n: 900 })
  const [all] = await engine.sql(`select (select cagg.rollup(s) from (select cagg.distinct_sketch(i) as s from generate_series(1, 100000) as i group by i / 3000) as parts)
    = (select cagg.distinct_sketch(i) from generate_series(1, 100000) as i) as same`)
  expect(all).toEqual({ same: true })
})
