// View files that change: their aggregates are built again beside the old ones, while writers write and readers read.
import type pg from 'pg'
import { pino } from 'pino'
import { afterEach, beforeAll, expect, it } from 'vitest'
import { readInstalled } from '../../../server/db/installed.ts'
import { installViews } from '../../../server/db/views.ts'
import { connectForTest } from '../../support/database.ts'
import { useEngine } from './support.ts'

const engine = useEngine({ aggregates: false, tailRows: 5 })
const gate = 77

/** What the log says. */
let told: Record<string, unknown>[] = []
afterEach(() => (told = []))
const log = pino({ level: 'info' }, { write: (line: string) => void told.push(JSON.parse(line) as Record<string, unknown>) })

const perHour = (more = '', where = '') => `select cagg.create_continuous_aggregate('shop.x_1h', $$
  select cagg.time_bucket('1 hour', ts) as bucket, country, count(*) as n, max(amount) as highest, cagg.distinct_sketch(buyer) as buyers ${more}
  from shop."Sales" ${where} group by 1, 2 $$)`
const perDay = `select cagg.create_continuous_aggregate('shop.x_1d', $$
  select cagg.time_bucket('1 day', bucket) as bucket, sum(n) as n, max(highest) as highest, cagg.rollup(buyers) as buyers from shop.x_1h group by 1 $$)`

/** Files as they would stand in sql/views; those that are not named are gone. */
async function start(files: Record<string, string>) {
  const client = await engine.database.connect()
  try {
    const installed = new Map([...(await readInstalled(client))].filter(([path]) => path.startsWith('views/x')))
    await installViews(log, client, {
      url: engine.database.url,
      installed,
      files: Object.entries(files).map(([name, text]) => ({ path: `views/${name}.sql`, name, text })),
    })
  } finally {
    await client.end()
  }
}

const ids = async () =>
  Object.fromEntries((await engine.sql<{ name: string; id: number }>(
    `select view_name as name, id from cagg._aggregates where view_schema = 'shop' and ready`,
  )).map(({ name, id }) => [name, id]))

const messages = () => told.map(({ msg, view }) => `${msg as string}${view === undefined ? '' : ` ${view as string}`}`)

async function until(condition: string): Promise<void> {
  for (;;) if ((await engine.sql<{ is: boolean }>(`select exists (${condition}) as is`))[0]?.is) return
}

beforeAll(async () => {
  await engine.sql(`
    -- Holds back whoever reads in a repeatable-read snapshot, as the filler does, until the gate is open.
    create function shop.gated(anyelement) returns boolean language plpgsql immutable as $$ begin
      if current_setting('transaction_isolation') = 'repeatable read' then
        perform pg_advisory_lock_shared(${gate}); perform pg_advisory_unlock_shared(${gate});
      end if;
      return true;
    end $$;
    select shop.fill(300, 0.3)`)
})

it('builds what files say, and says which views, how many rows and how long', async () => {
  await start({ x_1h: perHour(), x_1d: perDay })
  await engine.expectExact()
  expect(messages()).toEqual(['continuous aggregate built shop.x_1h', 'continuous aggregate built shop.x_1d', 'views read what was built'])
  expect(told[0]).toMatchObject({ rows: expect.any(Number) as number, ms: expect.any(Number) as number })
  expect(told[0]?.['rows']).toBeGreaterThan(100)
})

it('does nothing at a start whose files are as they were', async () => {
  const catalogue = () => engine.sql(`select sum(xmin::text::numeric) from (select xmin from pg_class union all select xmin from pg_proc union all select xmin from pg_trigger) as all_of_it`)
  const before = await catalogue()
  await start({ x_1h: perHour(), x_1d: perDay })
  expect(await catalogue()).toEqual(before)
  expect(told).toEqual([])
  // A comment is no definition.
  await start({ x_1h: `-- By the hour.\n${perHour()}`, x_1d: perDay })
  expect(messages()).toEqual([])
})

it('stops neither writers nor readers while a changed view is filled, and loses and repeats nothing', async () => {
  await engine.sql(`
    create view shop.reading as select bucket, n from shop.x_1h;
    grant select on shop.x_1h to public;
    select cagg.create_continuous_aggregate('shop.by_hand', $$
      select cagg.time_bucket('7 days', bucket) as week, sum(n) as n from shop.x_1d group by 1 $$)`)
  const before = await ids()
  const keeper = await connectForTest(engine.database)
  await keeper.query(`select pg_advisory_lock(${gate})`)
  const started = start({ x_1h: perHour(', sum(units) as units', 'where shop.gated(ts)'), x_1d: perDay })
  await until(`select from pg_stat_activity where application_name = 'lookout start' and wait_event = 'advisory' and datname = current_database()`)

  const writer = await connectForTest(engine.database)
  await writer.query(`set lock_timeout = '500ms'`)
  for (let turn = 0; turn < 3; turn++) {
    await writer.query(`select shop.fill(40, 0.${turn + 1})`)
    await writer.query(`insert into shop."Sales" (ts, amount, buyer, units) values ('2026-03-02 10:00+00', 5000 + ${turn}, 1, 1)`)
    await writer.query(`update shop."Sales" set ts = ts + interval '1 hour', units = units + 1 where id % 5 = ${turn} and ts < '2026-03-04'`)
    await writer.query(`delete from shop."Sales" where id % 7 = ${turn} or amount = 5000`)
    await writer.query('select cagg.run_maintenance()')
    // The old views are exact all the while.
    await engine.expectExact()
  }
  expect(await ids()).toEqual(before)
  expect((await engine.sql(`select * from shop.x_1h limit 1`))[0]).not.toHaveProperty('units')
  const [cursor] = await engine.sql<{ new_cursor: string }>('select new_cursor from cagg.changes_since(null)')

  await keeper.query(`select pg_advisory_unlock(${gate})`)
  await started
  await engine.expectExact()
  expect((await engine.sql(`select * from shop.x_1h limit 1`))[0]).toHaveProperty('units')
  expect(messages().slice(0, 3)).toEqual(['x_1h', 'x_1d', 'by_hand'].map((name) => `continuous aggregate built shop.${name}`))
  // What reads the view, and who may, is as before; who follows the changes reads it all anew.
  expect(await engine.sql('select sum(n)::int as n from shop.reading')).toEqual(await engine.sql('select count(*)::int as n from shop."Sales"'))
  expect(await engine.sql(`select has_table_privilege('public', 'shop.x_1h', 'select') as may`)).toEqual([{ may: true }])
  const changed = await engine.sql<{ view_name: string }>('select view_name from cagg.changes_since($1) where view_name is not null', [cursor?.new_cursor])
  expect(new Set(changed.map(({ view_name }) => view_name))).toEqual(new Set(['shop.x_1h', 'shop.x_1d', 'shop.by_hand']))
  await engine.sql(`select shop.fill(40, 0.7); delete from shop."Sales" where id % 6 = 0; select cagg.run_maintenance()`)
  await engine.expectExact()
})

it('keeps grants on a view whose columns are others now', async () => {
  await engine.sql('drop view shop.reading')
  await start({ x_1h: perHour().replace('country', 'kind'), x_1d: perDay })
  await engine.expectExact()
  expect(await engine.sql(`select has_table_privilege('public', 'shop.x_1h', 'select') as may`)).toEqual([{ may: true }])
})

it('stays exact under writers that never pause while views change again and again', { timeout: 60_000 }, async () => {
  let writing = true
  const write = async (client: pg.Client, worker: number) => {
    for (let turn = 0; writing; turn++) {
      await client.query(`begin; select shop.fill(${turn % 2 ? 3 : 12}, ${(worker * 100 + turn) % 997} / 1000.0);
        update shop."Sales" set amount = amount + 1, buyer = buyer % 50 + 1 where id % 4 = ${worker} and id % 11 = ${turn % 11};
        delete from shop."Sales" where id % 4 = ${worker} and id % 9 = ${turn % 9}; ${turn % 4 ? 'commit' : 'rollback'}`)
    }
  }
  const writers = await Promise.all([0, 1, 2, 3].map(() => connectForTest(engine.database)))
  const writes = writers.map(write)
  try {
    for (let turn = 0; turn < 4; turn++) {
      await start({ x_1h: perHour(`, min(units + ${turn}) as fewest`), x_1d: perDay })
      await engine.sql('select cagg.run_maintenance()')
      await engine.expectExact()
    }
  } finally {
    writing = false
    await Promise.all(writes)
  }
  await engine.expectExact()
})

it('leaves the old view, and nothing else, when the new one cannot be filled', async () => {
  const before = await ids()
  await engine.sql(`create function shop.fails(int) returns int language plpgsql immutable as $$ begin
    if current_setting('transaction_isolation') = 'repeatable read' then raise exception 'cannot be filled'; end if; return $1; end $$`)
  await expect(start({ x_1h: perHour(', sum(shop.fails(units)) as units'), x_1d: perDay })).rejects.toThrow('cannot be filled')
  expect(await ids()).toEqual(before)
  await engine.sql('select shop.fill(40, 0.7)')
  await engine.expectExact()
  const [left] = await engine.sql(`select count(*)::int as n from pg_tables where schemaname = 'cagg_data' and tablename like 'x\\_%'`)
  expect(left).toEqual({ n: 2 })
})

it('takes back what a start that was killed had begun', async () => {
  await engine.sql(`begin; select cagg._begin_collecting(); ${perHour(', sum(units) as units')};
    select * from cagg._begin_build(); commit`)
  await engine.sql('select shop.fill(40, 0.1)')
  await engine.expectExact()
  await start({ x_1h: perHour(', sum(units) as units'), x_1d: perDay })
  await engine.expectExact()
  expect(await engine.sql('select count(*)::int as n from cagg._aggregates where not ready')).toEqual([{ n: 0 }])
})

it('keeps what the old aggregate held of raw rows that retention has dropped', async () => {
  await engine.sql(`select cagg.add_retention_policy('shop."Sales"', (now() - '2026-03-03')::interval); select cagg.run_maintenance()`)
  const kept = () => engine.sql(`select bucket, country, n, highest from shop.x_1h where bucket < '2026-03-03' order by 1, 2`)
  const before = await kept()
  expect(before.length).toBeGreaterThan(10)
  await start({ x_1h: perHour(', sum(units) as units, min(amount) as lowest'), x_1d: perDay })
  expect(await kept()).toEqual(before)
  await engine.expectExact()
})

it('drops the view of a file that is gone, unless another aggregate is folded from it, and never what was made by hand', async () => {
  await start({ x_1h: perHour(', sum(units) as units, min(amount) as lowest') })
  expect(messages()).toEqual(['view kept, though its file is gone shop.x_1d'])
  await engine.sql(`select cagg.drop_continuous_aggregate('shop.by_hand');
    select cagg.create_continuous_aggregate('shop.x_by_hand', $$ select cagg.time_bucket('1 day', ts) as day, count(*) as n from shop."Sales" group by 1 $$)`)
  told = []
  await start({ x_1h: perHour(', sum(units) as units, min(amount) as lowest') })
  expect(messages()).toEqual(['view dropped: its file is gone shop.x_1d'])
  await start({})
  expect(Object.keys(await ids())).toEqual(['x_by_hand'])
  await engine.expectExact()
})
