// Writers, readers, maintenance and definitions side by side, step by step in a fixed order.
import { expect, it } from 'vitest'
import { connectForTest } from '../../support/database.ts'
import { useEngine } from './support.ts'

const engine = useEngine()
const sale = (amount: number, buyer = 1) =>
  `insert into shop."Sales" (ts, amount, buyer, country) values ('2026-03-01 10:00+00', ${amount}, ${buyer}, 'US')`

const highestIs = `select highest::int from shop.sales_1m where bucket = '2026-03-01 10:00+00'`
const highest = () => engine.sql(highestIs)

/** A connection for which waiting for a lock is an error. */
async function impatient() {
  const client = await connectForTest(engine.database)
  await client.query(`set lock_timeout = '500ms'`)
  return client
}

/** Resolves once `pid` waits for a lock. */
async function untilWaiting(pid: number): Promise<void> {
  for (;;) {
    const [row] = await engine.sql<{ waits: boolean }>(`select wait_event_type = 'Lock' as waits from pg_stat_activity where pid = $1`, [pid])
    if (row?.waits) return
  }
}

it('makes nobody wait: an insert and a removal of the same group’s maximum are under way together', async () => {
  await engine.sql(`${sale(900)}; ${sale(100)}`)
  const [writer, remover] = [await impatient(), await impatient()]
  await writer.query(`begin; ${sale(800, 2)}`)
  await remover.query('begin; delete from shop."Sales" where amount = 900')
  await writer.query(sale(700, 3))
  await writer.query('commit')
  await remover.query('commit')
  await engine.expectExact()
  expect(await highest()).toEqual([{ highest: 800 }])
})

it('computes the maximum again in the reader’s snapshot until maintenance has done it for all', async () => {
  const reader = await connectForTest(engine.database)
  await reader.query('begin isolation level repeatable read; select 1')
  await engine.sql('delete from shop."Sales" where amount = 800')
  expect(await highest()).toEqual([{ highest: 700 }])
  expect((await reader.query(highestIs)).rows).toEqual([{ highest: 800 }])
  await reader.query('rollback')
  const [table] = await engine.sql<{ name: string }>(`select tablename as name from pg_tables where tablename like 'sales\\_1m\\_%'`)
  const spoiled = () => engine.sql(`select count(*)::int as n from cagg_data.${table?.name} where spoiled`)
  expect((await spoiled())[0]).not.toEqual({ n: 0 })
  await engine.sql('select cagg.run_maintenance()')
  expect(await spoiled()).toEqual([{ n: 0 }])
  expect(await highest()).toEqual([{ highest: 700 }])
  await engine.expectExact()
})

it('leaves a group to its writer, and computes it when the writer is done', async () => {
  const writer = await impatient()
  await engine.sql('delete from shop."Sales" where amount = 700')
  await writer.query(`begin; ${sale(650)}`)
  await engine.sql('select cagg.run_maintenance()')
  await writer.query(sale(660))
  await writer.query('commit')
  await engine.expectExact()
  expect(await highest()).toEqual([{ highest: 660 }])
})

it('shows a repeatable-read reader the aggregate of its own snapshot', async () => {
  const reader = await connectForTest(engine.database)
  await reader.query('begin isolation level repeatable read; select 1')
  await engine.sql('select shop.fill(200, 0.2)')
  for (const view of ['sales_1s', 'sales_1d', 'by_dimension_1h']) {
    const { rows } = await reader.query(`select cagg.drift('shop.${view}')::int as drift`)
    expect(rows).toEqual([{ drift: 0 }])
  }
  await reader.query('rollback')
})

it('misses no row of a writer that commits while an aggregate is created', async () => {
  const writer = await connectForTest(engine.database)
  const creator = await connectForTest(engine.database)
  const pid = (await creator.query('select pg_backend_pid() as pid')).rows[0].pid
  await writer.query(`begin; ${sale(10)}`)
  const created = creator.query(`select cagg.create_continuous_aggregate('shop.meanwhile', $$
    select cagg.time_bucket('1 day', ts) as bucket, country, count(*) as n from shop."Sales" group by 1, 2 $$)`)
  await untilWaiting(pid)
  await writer.query('commit')
  await created
  await engine.expectExact()
})

it('refreshes while others write, and waits for those under way', async () => {
  const writer = await connectForTest(engine.database)
  const refresher = await connectForTest(engine.database)
  const pid = (await refresher.query('select pg_backend_pid() as pid')).rows[0].pid
  await writer.query(`begin; ${sale(20)}; delete from shop."Sales" where amount = 660`)
  const refreshed = refresher.query(`select cagg.refresh_continuous_aggregate('shop.sales_1m', null, null)`)
  await untilWaiting(pid)
  await writer.query('commit')
  await refreshed
  await engine.expectExact()
})

it('drops an aggregate only when no writer is about to fold into it', async () => {
  const writer = await connectForTest(engine.database)
  const dropper = await connectForTest(engine.database)
  const pid = (await dropper.query('select pg_backend_pid() as pid')).rows[0].pid
  await writer.query(`begin; ${sale(30)}`)
  const dropped = dropper.query(`select cagg.drop_continuous_aggregate('shop.meanwhile')`)
  await untilWaiting(pid)
  await writer.query(`${sale(40)}; commit`)
  await dropped
  await engine.sql(sale(50))
  await engine.expectExact()
})

it('leaves old partitions for the next time while a transaction holds their table', async () => {
  const writer = await connectForTest(engine.database)
  await engine.sql(`select cagg.add_retention_policy('shop."Sales"', (now() - '2026-03-02')::interval)`)
  const days = () => engine.sql(`select min(ts)::date::text as first from shop."Sales" where ts < '2026-03-02'`)
  await engine.sql('select shop.fill(50, 0.4)')
  await writer.query(`begin; ${sale(60)}`)
  await engine.sql('select cagg.run_maintenance()')
  expect(await days()).toEqual([{ first: '2026-03-01' }])
  await writer.query('commit')
  await engine.sql('select cagg.run_maintenance()')
  expect(await days()).toEqual([{ first: null }])
  await engine.expectExact()
})
