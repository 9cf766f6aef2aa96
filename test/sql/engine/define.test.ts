// Creating and dropping: what is accepted, what is refused and how it is said.
import { expect, inject, it } from 'vitest'
import { readEngine } from '../../../server/db/sqlFiles.ts'
import { useEngine } from './support.ts'

const engine = useEngine()
const create = (name: string, definition: string, options = {}) =>
  engine.sql('select cagg.create_continuous_aggregate($1, $2, $3)', [name, definition, options])

/** What a creation could leave behind. */
const everything = () =>
  engine.sql(`select 'class' as kind, oid, relname::text as name from pg_class union all select 'function', oid, proname from pg_proc
    union all select 'trigger', oid, tgname from pg_trigger union all select 'type', oid, typname from pg_type
    union all select 'schema', oid, nspname from pg_namespace union all select 'aggregate', id, view_name from cagg._aggregates
    union all select 'column', attrelid, attname from pg_attribute order by 1, 2, 3`)

it.each([
  ['count(distinct …)', `select cagg.time_bucket('1 hour', ts), count(distinct buyer) from shop."Sales" group by 1`, /cagg\.approx_count_distinct/],
  ['a window function', `select cagg.time_bucket('1 hour', ts), count(*), rank() over (order by count(*)) from shop."Sales" group by 1`, /read/],
  ['limit', `select cagg.time_bucket('1 hour', ts), count(*) from shop."Sales" group by 1 limit 3`, /read/],
  ['grouping sets', `select cagg.time_bucket('1 hour', ts), country, count(*) from shop."Sales" group by grouping sets ((1), (1, 2))`, /lateral/],
  ['union', `select cagg.time_bucket('1 hour', ts), count(*) from shop."Sales" group by 1 union all select now(), 1`, /each part/],
  ['a with clause', `with s as (select * from shop."Sales") select cagg.time_bucket('1 hour', ts), count(*) from s group by 1`, /table/],
  ['a subquery', `select cagg.time_bucket('1 hour', ts), count(*) from shop."Sales" where buyer in (select id from shop.buyers) group by 1`, /[Jj]oin/],
  ['order by', `select cagg.time_bucket('1 hour', ts), count(*) from shop."Sales" group by 1 order by 1`, /read/],
  ['a right join', `select cagg.time_bucket('1 hour', ts), count(*) from shop."Sales" right join shop.buyers b on b.id = buyer group by 1`, /left join/],
  ['the source joined to itself', `select cagg.time_bucket('1 hour', s.ts), count(*) from shop."Sales" s join shop."Sales" o on o.id = s.id group by 1`, /on its own/],
  ['random()', `select cagg.time_bucket('1 hour', ts), count(*) from shop."Sales" where random() < 0.5 group by 1`, /another value/],
  ['now()', `select cagg.time_bucket('1 hour', ts), count(*) from shop."Sales" where ts < now() group by 1`, /another value/],
  ['current_date', `select cagg.time_bucket('1 hour', ts), count(*) from shop."Sales" where ts < current_date group by 1`, /change by itself/],
  ['array_agg', `select cagg.time_bucket('1 hour', ts), array_agg(kind) from shop."Sales" group by 1`, /count, sum, avg/],
  ['no group by', `select count(*) from shop."Sales"`, /time_bucket/],
  ['no time bucket', `select country, count(*) from shop."Sales" group by 1`, /time_bucket/],
  ['two time buckets', `select cagg.time_bucket('1 hour', ts) as a, cagg.time_bucket('1 day', ts) as b, count(*) from shop."Sales" group by 1, 2`, /second/],
  ['a hidden group key', `select cagg.time_bucket('1 hour', ts), count(*) from shop."Sales" group by 1, country`, /select list/],
  ['an average of a count', `select cagg.time_bucket('1 hour', bucket), avg(n) from shop.sales_1m group by 1`, /finer/],
  ['a column of a source that is a plain view', `select cagg.time_bucket('1 hour', created_at), count(*) from cagg.continuous_aggregates group by 1`, /table/],
  ['a partition as the source', `select cagg.time_bucket('1 hour', ts), count(*) from shop."Sales_p20260301" group by 1`, /partitioned table/],
  [
    'a percentile within group',
    `select cagg.time_bucket('1 hour', ts), percentile_cont(0.5) within group (order by units) from shop."Sales" group by 1`,
    /cagg\.approx_percentile/,
  ],
  ['tablesample', `select cagg.time_bucket('1 hour', ts), count(*) from shop."Sales" tablesample system (10) group by 1`, /when you read/],
  ['a system column', `select cagg.time_bucket('1 hour', ts), tableoid, count(*) from shop."Sales" group by 1, 2`, /columns of the row/],
  ['a whole row', `select cagg.time_bucket('1 hour', ts), count(s) from shop."Sales" as s group by 1`, /Name a column/],
  ['an expression over the bucket', `select cagg.time_bucket('1 hour', ts)::date, count(*) from shop."Sales" group by 1`, /by itself/],
  ['a sum of two buckets', `select cagg.time_bucket('1 hour', ts) - cagg.time_bucket('1 day', ts), count(*) from shop."Sales" group by 1`, /by itself/],
  ['a width that is a column', `select cagg.time_bucket(units * interval '1 hour', ts), count(*) from shop."Sales" group by 1`, /1 hour/],
  ['a width of nothing', `select cagg.time_bucket('0 hours', ts), count(*) from shop."Sales" group by 1`, /1 hour/],
  ['a sum of money', `select cagg.time_bucket('1 hour', ts), sum(units::money) from shop."Sales" group by 1`, /::numeric/],
  ['a width that mixes months and days', `select cagg.time_bucket('1 month 1 day', ts), count(*) from shop."Sales" group by 1`, /width/],
  ['a zone that does not exist', `select cagg.time_bucket('1 day', ts, 'Europe/Atlantis'), count(*) from shop."Sales" group by 1`, /zone/],
  ['another way to a bucket', `select date_trunc('hour', ts), count(*) from shop."Sales" group by 1`, /cagg\.time_bucket/],
  ['select distinct', `select distinct cagg.time_bucket('1 hour', ts), count(*) from shop."Sales" group by 1`, /group by/],
  ['a subquery as the source', `select cagg.time_bucket('1 hour', ts), count(*) from (select * from shop."Sales") as s group by 1`, /source table first/],
  ['a function as the source', `select cagg.time_bucket('1 hour', g), count(*) from generate_series(now(), now(), '1 day') as g group by 1`, /source table first|another value/],
  ['an order inside an aggregate', `select cagg.time_bucket('1 hour', ts), sum(units order by id) from shop."Sales" group by 1`, /Leave it out/],
  ['a key and an aggregate in one column', `select cagg.time_bucket('1 hour', ts), country, country || count(*) from shop."Sales" group by 1, 2`, /separately/],
  ['a join to a continuous aggregate', `select cagg.time_bucket('1 hour', m.bucket), sum(n) from shop.sales_1m as m join shop.buyers on true group by 1`, /finest/],
  ['a finer aggregate with a having clause', `select cagg.time_bucket('30 days', day), sum(n) from shop.sales_1d group by 1`, /coarser/],
  ['a filter over a finer aggregate', `select cagg.time_bucket('1 hour', bucket), sum(n) filter (where country = 'US') from shop.sales_1m group by 1`, /without filter/],
  ['a key that the finer aggregate does not have', `select cagg.time_bucket('1 day', bucket), max(bucket) from shop.sales_1m group by 1`, /finer/],
])('refuses %s and says what to write instead', async (_title, definition, hint) => {
  const before = await everything()
  const error = await create('shop.refused', definition).then(() => null, (cause: { code: string; hint: string }) => cause)
  expect(error?.code).toBe('0A000')
  expect(error?.hint).toMatch(hint)
  expect(await everything()).toEqual(before)
})

it('does nothing when the same aggregate is created again, and refuses another definition', async () => {
  const definition = `select cagg.time_bucket('1 hour', ts) as bucket, count(*) as n from shop."Sales" group by 1`
  await create('shop.again', definition)
  const ids = () => engine.sql(`select id from cagg._aggregates where view_name = 'again'`)
  const first = await ids()
  await create('shop.again', definition)
  expect(await ids()).toEqual(first)
  await expect(create('shop.again', `${definition} having count(*) > 1`)).rejects.toMatchObject({ code: '42P07' })
  await create('shop.again', `${definition} having count(*) > 1`, { replace: true })
  expect(await ids()).not.toEqual(first)
  await engine.sql(`select cagg.drop_continuous_aggregate('shop.again')`)
})

it('refuses options it does not know and slots out of range', async () => {
  const definition = `select cagg.time_bucket('1 hour', ts) as bucket, count(*) as n from shop."Sales" group by 1`
  await expect(create('shop.options', definition, { shards: 3 })).rejects.toMatchObject({ code: '22023', message: /shards/ })
  await expect(create('shop.options', definition, { slots: 0 })).rejects.toMatchObject({ code: '22023', message: /1 to 64/ })
})

it.each([
  [{ slots: 'many' }, /1 to 64/],
  [{ slots: 1.5 }, /1 to 64/],
  [{ replace: 'maybe' }, /true or false/],
  [{ retention: 'long' }, /interval/],
  [{ retention: '-1 day' }, /longer than nothing/],
])('refuses the options %j, and says what they may be', async (options, message) => {
  const definition = `select cagg.time_bucket('1 hour', ts) as bucket, count(*) as n from shop."Sales" group by 1`
  await expect(create('shop.options', definition, options)).rejects.toMatchObject({ code: '22023', message, hint: expect.any(String) })
  await expect(engine.sql(`select cagg.add_retention_policy('shop."Sales"', null)`)).rejects.toMatchObject({ code: '22023' })
})

it('takes names of any length, for as much of them as PostgreSQL keeps', async () => {
  const name = 'n'.repeat(70)
  const definition = `select cagg.time_bucket('1 hour', ts) as bucket, count(*) as n from shop."Sales" group by 1`
  await create(`shop.${name}`, definition)
  await create(`elsewhere.${name}`, definition)
  await create(`elsewhere.${name}`, `${definition} having count(*) > 1`, { replace: true })
  await create('shop.coarse', `select cagg.time_bucket('1 day', bucket) as bucket, sum(n) as n from shop.${name} group by 1`)
  await engine.sql('select shop.fill(20, 0.4)')
  await engine.expectExact()
  const sizes = await engine.sql(`select size_bytes from cagg.continuous_aggregates where view_name like '%nnn%' and size_bytes > 0`)
  expect(sizes).toHaveLength(2)
  await engine.sql(`select cagg.drop_continuous_aggregate('shop.${name}', true), cagg.drop_continuous_aggregate('elsewhere.${name}')`)

  const tables = ['a', 'b'].map((ending) => `shop.${'t'.repeat(60)}${ending}`)
  for (const table of tables) {
    await engine.sql(`create table ${table} (ts timestamptz not null) partition by range (ts)`)
    expect(await engine.sql(`select cagg.ensure_partitions($1, '2026-03-01', '2026-03-03') as made`, [table])).toEqual([{ made: 3 }])
    await engine.sql(`insert into ${table} values ('2026-03-02 12:00+00')`)
  }
  await engine.sql(`drop table ${tables.join(', ')}`)
})

it('does not drop what another aggregate is folded from, unless told to cascade', async () => {
  await expect(engine.sql(`select cagg.drop_continuous_aggregate('shop.sales_1s')`)).rejects.toMatchObject({ code: '2BP01', hint: /cascade/ })
  await engine.sql(`select cagg.drop_continuous_aggregate('shop.sales_1s', true)`)
  const left = await engine.sql(`select view_name from cagg.continuous_aggregates where raw_source = 'shop."Sales"' order by 1`)
  expect(left).toEqual([
    { view_name: 'shop.by_dimension_1h' },
    { view_name: 'shop.statistics_1d' },
    { view_name: 'shop.statistics_1h' },
  ])
  await engine.sql('select shop.fill(100, 0.9)')
  await engine.expectExact()
})

it('leaves a source without triggers once its last aggregate is gone', async () => {
  await engine.sql(`select cagg.drop_continuous_aggregate('shop.by_dimension_1h'), cagg.drop_continuous_aggregate('shop.statistics_1h', true)`)
  expect(await engine.sql(`select tgname from pg_trigger where tgrelid = 'shop."Sales"'::regclass and not tgisinternal`)).toEqual([])
  await engine.sql('select shop.fill(10, 0.1)')
})

it('has PostgreSQL refuse to drop or retype what a definition uses, of any of its tables, until it is dropped', async () => {
  await engine.sql('create table shop.kinds (kind int primary key, name text, note text); create table shop.uses (seen timestamptz not null, kind int, n int, note text, spare int)')
  await create('shop.used', `select cagg.time_bucket('1 hour', u.seen) as bucket, k.name, sum(u.n) as n from shop.uses as u join shop.kinds as k using (kind) where u.note is null group by 1, 2`)
  await create('shop.used_1d', `select cagg.time_bucket('1 day', bucket) as bucket, sum(n) as n from shop.used group by 1`)
  const alters = ['uses drop seen', 'uses drop kind', 'uses drop n', 'uses drop note', 'kinds drop kind', 'kinds drop name', 'uses alter n type bigint', 'kinds alter name type char(3)']
  for (const alter of alters)
    await expect(engine.sql(`alter table shop.${alter}`)).rejects.toMatchObject({ code: alter.includes('type') ? '0A000' : '2BP01', detail: /used_\d+_uses/ })
  await expect(engine.sql('drop table shop.kinds')).rejects.toMatchObject({ code: '2BP01', detail: /used_\d+_uses/ })
  await engine.sql('alter table shop.uses drop spare; alter table shop.kinds drop note; alter table shop.kinds alter name set default 1')
  await engine.sql(`insert into shop.kinds values (1, 'one'); insert into shop.uses values (now(), 1, 2)`)
  await engine.expectExact()
  await engine.sql(`select cagg.drop_continuous_aggregate('shop.used', true); drop table shop.uses, shop.kinds`)
})

it('lets the aggregates of a table that is gone stand until they are dropped, whatever else is done', async () => {
  const views = ['shop.of_gone', 'shop.of_gone_1d']
  await engine.sql('create table shop.gone (seen timestamptz not null, n integer)')
  await create('shop.of_gone', `select cagg.time_bucket('1 hour', seen) as bucket, count(*) as n, max(n) as most from shop.gone group by 1`)
  await create('shop.of_gone_1d', `select cagg.time_bucket('1 day', bucket) as bucket, sum(n) as n, max(most) as most from shop.of_gone group by 1`)
  await engine.sql(`insert into shop.gone select '2026-03-02 12:00+00', n from generate_series(1, 100) as n; delete from shop.gone where n > 90`)
  await engine.sql(`insert into shop.gone values ('2026-03-02 12:00+00', 1)`)
  await expect(engine.sql('drop table shop.gone')).rejects.toMatchObject({ code: '2BP01' })
  await engine.sql('drop table shop.gone cascade')
  await engine.sql('select cagg.run_maintenance()')
  // As a newer engine, which builds the others again.
  const text = readEngine(inject('projectDir')).map(({ text }) => text).join('\n')
  const newer = text.replace(/(function cagg\._shape_version\(\).*?return )\d+/s, '$11000')
  for (const engineText of [newer, text]) {
    await engine.sql(`begin; ${engineText}; commit`)
    for (const view of views) expect(await engine.sql(`select n::integer from ${view}`)).toEqual([{ n: 91 }])
  }
  expect(await engine.sql(`select relname from pg_class where relname like 'tail\\_%\\_1000'`)).toEqual([])
  await engine.sql(`select cagg.drop_continuous_aggregate('shop.of_gone_1d')`)
  await engine.sql(`select cagg.drop_continuous_aggregate('shop.of_gone')`)
  expect(await engine.sql(`select proname as name from pg_proc where proname ~ 'gone' union all select relname from pg_class where relname ~ 'gone'`)).toEqual([])
  await engine.sql(`select shop.fill(10, 0.5); select cagg.run_maintenance()`)
})

it('says which aggregate does not exist', async () => {
  await expect(engine.sql(`select cagg.drift('shop.nowhere')`)).rejects.toMatchObject({ code: '42P01', message: /shop\.nowhere/ })
})

it('leaves nothing of a creation that fails in the middle', async () => {
  await engine.sql('select shop.fill(20, 0.2)')
  const before = await everything()
  const create = (definition: string) => engine.sql('select cagg.create_continuous_aggregate($1, $2)', ['nowhere_yet.failed', definition])
  // The back-fill divides by zero, after tables and views are made.
  await expect(
    create(`select cagg.time_bucket('1 hour', ts) as bucket, sum(1 / (units - units)) as n from shop."Sales" group by 1`),
  ).rejects.toMatchObject({ code: '22012' })
  await expect(create(`select cagg.time_bucket('1 hour', ts) as bucket, count(*) as n, sum(units) as n from shop."Sales" group by 1`)).rejects.toMatchObject({ code: '42701' })
  expect(await everything()).toEqual(before)
})
