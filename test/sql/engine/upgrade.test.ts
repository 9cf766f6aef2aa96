// Installing the engine over an older one.
import { beforeAll, expect, inject, it } from 'vitest'
import { readEngine } from '../../../server/db/sqlFiles.ts'
import { connectForTest } from '../../support/database.ts'
import { useEngine } from './support.ts'

const engine = useEngine({ tailRows: 50 })

/** `version`: of what is kept; none: the same. Answers warnings. */
async function install(version?: number) {
  const text = readEngine(inject('projectDir')).map(({ text }) => text).join('\n')
  const changed = text.replace(/(function cagg\._shape_version\(\).*?return )\d+/s, version === undefined ? '$&' : `$1${version}`)
  const client = await connectForTest(engine.database)
  const warnings: string[] = []
  client.on('notice', ({ severity, message }) => severity === 'WARNING' && warnings.push(message ?? ''))
  await client.query(`begin; ${changed}; commit`)
  return warnings
}
const ids = () => engine.sql(`select id, created_at, to_regclass(cagg._view(a))::oid as view, to_regclass(cagg._store(a))::oid as store from cagg._aggregates as a order by id`)

beforeAll(() => engine.sql(`
  select shop.fill(300, 0.1);
  create view shop.reading as select region, n from shop.sales_1d;
  grant select on shop.sales_1m to public`))

it('leaves aggregates alone when it is installed again', async () => {
  const before = await ids()
  await install()
  expect(await ids()).toEqual(before)
  await engine.expectExact()
})

it('builds what an older engine kept otherwise again: trees, grants, what reads it, what waits in the tail, and what it holds of raw rows that are gone', async () => {
  await engine.sql(`select cagg.create_continuous_aggregate('shop.by_units', 'select cagg.time_bucket(2, units) as bucket, count(*) as n, max(amount) as highest from shop."Sales" group by 1');
    select cagg.add_retention_policy('shop."Sales"', (now() - '2026-03-03')::interval); select cagg.run_maintenance();
    insert into shop."Sales" (ts, amount, buyer) values ('2026-03-03 10:00+00', 20, 1)`)
  const views = ['sales_1s', 'sales_1m', 'sales_1d', 'by_dimension_1h', 'statistics_1h', 'by_units', 'reading']
  // A sum may print zeros that a row which is gone had after the point.
  const read = () => Promise.all(views.map((view) => engine.sql(`select (to_jsonb(t) - 'price')::text as row from shop.${view} as t order by 1`)))
  const [before, old] = [await read(), await ids()]
  await install(1000)
  expect(await read()).toEqual(before)
  expect((await ids()).filter(({ id }) => old.some((one) => one['id'] === id))).toEqual([])
  expect(await engine.sql(`select has_table_privilege('public', 'shop.sales_1m', 'select') as may`)).toEqual([{ may: true }])
  await engine.expectExact()
  await engine.sql(`select cagg.drop_continuous_aggregate('shop.by_units'), cagg.ensure_partitions('shop."Sales"', '2026-03-01', '2026-03-02');
    select shop.fill(30, 0.2); select shop.fill(300, 0.2);
    delete from shop."Sales" where id % 3 = 0 and ts >= '2026-03-03'; update shop."Sales" set country = 'FR' where id % 5 = 0 and ts >= '2026-03-03'`)
  await engine.expectExact()
})

it('leaves nothing of the older engine', async () => {
  expect(await engine.sql(`select relname from pg_class where relnamespace = 'cagg_data'::regnamespace and relname like 'tail\\_%' and relname not like '%\\_1000'`)).toEqual([])
})

it('holds what the aggregates of an engine that did not use, and says which of them use what is gone', async () => {
  await engine.sql(`create table shop.lists (ts timestamptz, n int); create table shop.torn (ts timestamptz, n int)`)
  for (const name of ['lists', 'torn'])
    await engine.sql(`select cagg.create_continuous_aggregate('shop.${name}_1h', 'select cagg.time_bucket(''1 hour'', ts) as bucket, sum(n) as n from shop.${name} group by 1')`)
  await engine.sql(`do $$ declare v_name text; begin
    for v_name in select relname from pg_class where relname ~ '^(lists|torn)_.*_uses$' loop execute format('drop view cagg_data.%I', v_name); end loop; end $$`)
  await engine.sql('alter table shop.torn drop n')
  expect(await install(1000)).toEqual([expect.stringMatching(/shop\.torn_1h uses what is gone: .*n/)])
  await expect(engine.sql('alter table shop.lists drop n')).rejects.toMatchObject({ code: '2BP01' })
})
