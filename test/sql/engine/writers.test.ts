// Eight writers of the same buckets, and all that may happen beside them: no error, no deadlock, no drift.
// WRITERS_SECONDS sets how long; `npm run test:writers` takes a minute.
import { afterAll, expect, it } from 'vitest'
import type pg from 'pg'
import { connectForTest } from '../../support/database.ts'
import { useEngine } from './support.ts'

const engine = useEngine({ tailRows: 10 })
const asked = process.env['WRITERS_SECONDS']
const seconds = Number(asked ?? 5)
const done = { transactions: 0, definitions: 0, reads: 0 }
afterAll(() => asked && process.stdout.write(`in ${seconds} s: ${JSON.stringify(done)}\n`))

const definition = `select cagg.time_bucket('1 day', ts) as bucket, country, count(*) as n, max(amount) as highest from shop."Sales" group by 1, 2`

/** Rows of its own, in groups of everyone: in one direction or the other, several statements a transaction. */
async function write(client: pg.Client, worker: number, turn: number): Promise<void> {
  const own = `id % 8 = ${worker}`
  const statements = [
    `select shop.fill(15, ${((worker + 1) * 7 + turn) % 1000} / 1000.0)`,
    `update shop."Sales" set amount = amount + 1, country = 'U' || ${turn % 3}, buyer = buyer % 50 + 1 where ${own} and id % 5 = ${turn % 5}`,
    `delete from shop."Sales" where ${own} and id % 7 = ${turn % 7}`,
    `insert into shop."Sales" (ts, amount, country, buyer) values ('2026-03-01', 9999, 'US', 1), ('2026-03-04', 11, 'US', 2)`,
    `insert into shop."Sales" (ts, amount, country, buyer) values ('2026-03-04', 9999, 'US', 3), ('2026-03-01', 11, 'US', 4)`,
  ]
  if (worker % 2) statements.reverse()
  await client.query('begin')
  for (const statement of statements) await client.query(statement)
  await client.query(turn % 5 === 4 ? 'rollback' : 'commit')
  done.transactions++
}

const others: ((client: pg.Client, turn: number) => Promise<unknown>)[] = [
  async (client) => {
    await client.query(`select cagg.create_continuous_aggregate('shop.passing', $1)`, [definition])
    await client.query(`select cagg.refresh_continuous_aggregate('shop.passing', '2026-03-02', '2026-03-04')`)
    await client.query(`select cagg.refresh_continuous_aggregate('shop.sales_1m', null, null)`)
    const { rows } = await client.query(`select cagg.drift('shop.passing')::int as drift`)
    expect(rows).toEqual([{ drift: 0 }])
    await client.query(`select cagg.drop_continuous_aggregate('shop.passing')`)
    done.definitions++
  },
  (client) => client.query('select cagg.run_maintenance()'),
  async (client) => {
    await client.query('begin isolation level repeatable read')
    for (const view of ['sales_1s', 'sales_1m', 'sales_1d', 'by_dimension_1h', 'statistics_1h'])
      expect((await client.query(`select cagg.drift('shop.${view}')::int as drift`)).rows).toEqual([{ drift: 0 }])
    await client.query('commit')
    done.reads++
  },
]

it(`stays exact under eight writers for ${seconds} s, while an aggregate comes and goes`, { timeout: 60_000 + seconds * 3_000 }, async () => {
  await engine.sql('select shop.fill(300, 0.5)')
  const end = Date.now() + seconds * 1_000
  const repeat = async (work: (client: pg.Client, turn: number) => Promise<unknown>) => {
    const client = await connectForTest(engine.database)
    for (let turn = 0; Date.now() < end; turn++) await work(client, turn)
  }
  await Promise.all([
    ...Array.from({ length: 8 }, (_, worker) => repeat((client, turn) => write(client, worker, turn))),
    ...others.map(repeat),
  ])
  await engine.expectExact()
  expect(done.transactions).toBeGreaterThan(8)
  await engine.sql('select cagg.run_maintenance()')
  await engine.expectExact()
})
