// Writers side by side: interleaved in a fixed order, and eight at once.
import { expect, it } from 'vitest'
import { connectForTest } from '../../support/database.ts'
import { useEngine } from './support.ts'

const engine = useEngine()
const sale = (amount: number, buyer = 1) =>
  `insert into shop."Sales" (ts, amount, buyer, country) values ('2026-03-01 10:00+00', ${amount}, ${buyer}, 'US')`

/** Resolves once `pid` waits for a lock. */
async function untilWaiting(pid: number): Promise<void> {
  for (;;) {
    const [row] = await engine.sql<{ waits: boolean }>(`select wait_event_type = 'Lock' as waits from pg_stat_activity where pid = $1`, [pid])
    if (row?.waits) return
  }
}

it('does not lose an insert that is under way while the group’s maximum is computed again', async () => {
  await engine.sql(`${sale(900)}; ${sale(100)}`)
  const [writer, remover] = [await connectForTest(engine.database), await connectForTest(engine.database)]
  const pid = (await remover.query('select pg_backend_pid() as pid')).rows[0].pid
  await writer.query(`begin; ${sale(800, 2)}`)
  const removed = remover.query('delete from shop."Sales" where amount = 900')
  await untilWaiting(pid)
  await writer.query('commit')
  await removed
  await engine.expectExact()
  expect(await engine.sql(`select highest::int from shop.sales_1m where bucket = '2026-03-01 10:00+00'`)).toEqual([{ highest: 800 }])
})

it('does not lose an insert that begins while a recompute has not committed yet', async () => {
  const [writer, remover] = [await connectForTest(engine.database), await connectForTest(engine.database)]
  const pid = (await writer.query('select pg_backend_pid() as pid')).rows[0].pid
  await remover.query('begin; delete from shop."Sales" where amount = 800')
  const written = writer.query(sale(850, 3))
  await untilWaiting(pid)
  await remover.query('commit')
  await written
  await engine.expectExact()
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

it('stays exact, without deadlock, under eight writers that insert, update and delete', { timeout: 60_000 }, async () => {
  // Additive aggregates alone: those share rows through slots and sorted keys; the others take turns.
  await engine.sql(`select cagg.drop_continuous_aggregate('shop.sales_1s', true), cagg.drop_continuous_aggregate('shop.statistics_1h', true)`)
  await engine.sql(`select cagg.create_continuous_aggregate('shop.busy', $$
    select cagg.time_bucket('1 day', ts) as bucket, country, kind, count(*) as n, sum(amount) as amount from shop."Sales" group by 1, 2, 3 $$)`)
  await Promise.all(
    Array.from({ length: 8 }, async (_, worker) => {
      const client = await connectForTest(engine.database)
      for (let turn = 0; turn < 40; turn++) {
        await client.query(`select shop.fill(20, ${(worker + 1) / 10})`)
        await client.query(`update shop."Sales" set amount = amount + 1, country = 'U' || ${turn % 3} where id % 8 = ${worker} and id % 5 = ${turn % 5}`)
        await client.query(`delete from shop."Sales" where id % 8 = ${worker} and id % 7 = ${turn % 7}`)
      }
    }),
  )
  await engine.expectExact()
})
