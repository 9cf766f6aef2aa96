// A thousand distinct windows over one view, one for each of a thousand countries, all of them told of a change every second: they
// are read together, so what PostgreSQL sees is a few statements a second, not thousands.
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type BenchResult, connect, cpuSeconds, startBenchPostgres } from './kit.ts'
import { startServer, startViewers, writeEvents } from './kit/streams.ts'

export const about =
  '1,000 distinct windows over one view, each told of a change every second: transactions a second, and CPU'

const query = `subscription ($country: String!) {
  metrics(metrics: [EVENTS, ERRORS], window: "PT1M", filter: [{ dimension: COUNTRY, in: [$country] }], every: "PT1S") {
    kind cursor previousCursor committedAt totals { metric value } points { bucket values }
  }
}`

export async function run(args: string[]): Promise<BenchResult> {
  const { values } = parseArgs({
    args,
    options: { windows: { type: 'string', default: '1000' }, seconds: { type: 'string', default: '20' } },
  })
  const count = Number(values.windows)
  const postgres = await startBenchPostgres()
  await (await postgres.makeDatabase('bench')).end()
  const server = await startServer({ DATABASE_URL: postgres.url('bench') })
  const client = await connect(postgres.url('postgres'))
  try {
    const countries = Array.from({ length: count }, (_, n) => `Country ${n}`)
    const operations = countries.map((country) => ({ query, variables: { country } }))
    const writer = writeEvents(server.url, { perSecond: count, perCall: count, countries })
    const viewers = await startViewers({ port: server.port, count, atOnce: 50, operations })
    await sleep(5_000)
    const look = async () => {
      const { rows } = await client.query<{ transactions: string }>(
        `select xact_commit + xact_rollback as transactions from pg_stat_database where datname = 'bench'`,
      )
      return { at: performance.now(), cpu: cpuSeconds(server.pid), transactions: Number(rows[0]!.transactions) }
    }
    await viewers.reset()
    const before = await look()
    await sleep(Number(values.seconds) * 1000)
    const after = await look()
    const report = await viewers.report()
    await viewers.close()
    await writer.stop()
    const seconds = (after.at - before.at) / 1000
    const transactions = (after.transactions - before.transactions) / seconds
    return {
      rows: [
        {
          windows: count,
          'messages/s': Math.round(report.messages / seconds),
          'transactions/s': Math.round(transactions),
          'server CPU %': Math.round(((after.cpu - before.cpu) / seconds) * 100),
          lost: report.lost + report.ended,
        },
      ],
      verdicts: [
        { what: 'transactions a second', value: transactions, atMost: 50 },
        { what: 'messages a second and window', value: report.messages / seconds / count, atLeast: 0.5 },
      ],
    }
  } finally {
    await client.end()
    await server.stop()
    await postgres.close()
  }
}
