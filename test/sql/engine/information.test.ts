// What the engine says of itself: what exists, and what is wrong.
import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { useEngine } from './support.ts'

const engine = useEngine()

it('tells of each aggregate what it is, how large, and when it changed last', async () => {
  await engine.sql(`select shop.fill(2000, 0.4); select cagg.add_retention_policy('shop.sales_1m', '100 years')`)
  await engine.sql('analyze')
  const [row] = await engine.sql(`select *, changed_at > now() - interval '1 minute' as changed_just_now from cagg.continuous_aggregates where view_name = 'shop.sales_1m'`)
  expect(row).toMatchObject({
    source: 'shop.sales_1s',
    raw_source: 'shop."Sales"',
    bucket_width: '00:01:00',
    group_keys: ['country'],
    aggregates: ['n', 'good', 'amount', 'average', 'highest', 'fewest', 'buyers'],
    options: { slots: 1, retention: '100 years' },
    retention: expect.objectContaining({ years: 100 }) as object,
    slots: 1,
    changed_just_now: true,
  })
  expect(Number(row?.['size_bytes'])).toBeGreaterThan(8192)
  expect(Number(row?.['rows_estimate'])).toBeGreaterThan(100)
  expect(await engine.sql(`select relation, drop_after from cagg.retention_policies where relation like 'shop.%'`)).toMatchObject([
    { relation: 'shop.sales_1m', drop_after: { years: 100 } },
  ])
})

it('has analyze leave sketches alone, and nothing else', async () => {
  const sampled = (await engine.sql<{ state: string }>(`
    select tablename || '.' || attname as state from pg_stats where schemaname = 'cagg_data' and tablename ~ '^sales_1s_' and attname ~ '^(s[0-9]+|n|bucket)$'`)).map(({ state }) => state)
  const sketches = (await engine.sql<{ state: string }>(`
    select relname || '.' || (s ->> 'name') as state from cagg._aggregates as a cross join jsonb_array_elements(shape -> 'states') as s
    join pg_class on relname = view_name || '_' || a.id where view_name = 'sales_1s' and s ->> 'kind' in ('sketch', 'tally')`)).map(({ state }) => state)
  expect(sketches.length).toBeGreaterThan(0)
  expect(sampled.length).toBeGreaterThan(3)
  expect(sampled.filter((state) => sketches.includes(state))).toEqual([])
})

it('says of an aggregate that nobody wrote to that it has not changed', async () => {
  await engine.sql(`create table shop.quiet (ts timestamptz); select cagg.create_continuous_aggregate('shop.quiet_1d', $$
    select cagg.time_bucket('1 day', ts) as day, count(*) as n from shop.quiet group by 1 $$)`)
  expect(await engine.sql(`select changed_at, rows_estimate from cagg.continuous_aggregates where view_name = 'shop.quiet_1d'`)).toEqual([{ changed_at: null, rows_estimate: null }])
})

it('shows to any role what exists', async () => {
  const role = `curious_${process.pid}`
  await engine.sql(`create role ${role}`)
  const client = await engine.database.connect()
  try {
    await client.query(`set role ${role}`)
    const { rows } = await client.query('select view_name, size_bytes from cagg.continuous_aggregates')
    expect(rows.length).toBeGreaterThan(5)
  } finally {
    await client.end()
    await engine.sql(`drop role ${role}`)
  }
})

it('raises nothing without an SQLSTATE, and no error without a hint', () => {
  const raised = readdirSync('sql/cagg').filter((file) => file.endsWith('.sql')).flatMap((file) =>
    [...readFileSync(`sql/cagg/${file}`, 'utf8').matchAll(/\braise (exception|warning|log|notice)\b[^;]*?;\n/g)].map(([text, level]) => ({ file, level, text })),
  )
  expect(raised.length).toBeGreaterThan(12)
  expect(raised.filter(({ text, level }) => level !== 'notice' && !/errcode = '\w{5}'/.test(text))).toEqual([])
  expect(raised.filter(({ text, level }) => level === 'exception' && !/hint = \S/.test(text))).toEqual([])
})
