// Whether a large table slows anything down: the same load and the same question at a few sizes, each against the first.
import { parseArgs } from 'node:util'
import { type IngestBench, middle, rowOf, startIngestBench } from './kit/ingest.ts'
import { fillPool } from './kit/pool.ts'
import { type BenchResult, median, progress } from './kit.ts'

export const about =
  'ingest and reading at 1 and 3 million events (--millions 1,10,100), against themselves at the first size'

const pastSecondRows = 2_000
const reads = 40
const QUESTION = JSON.stringify({
  query: `{ metrics(metrics: [EVENTS, PURCHASE_AMOUNT], window: "PT5M", by: COUNTRY) { totals { value } points { values } } }`,
})

export async function run(args: string[]): Promise<BenchResult> {
  const { values } = parseArgs({
    args,
    options: {
      millions: { type: 'string', default: '1,3' },
      seconds: { type: 'string', default: '5' },
      rounds: { type: 'string', default: '3' },
    },
  })
  const bench = await startIngestBench()
  try {
    await fillPool(bench.client)
    const rows: BenchResult['rows'] = []
    const seen: { perSecond: number; readMs: number }[] = []
    for (const millions of values.millions.split(',').map(Number)) {
      await fill(bench, millions * 1e6)
      const runs = []
      for (let round = 0; round < Number(values.rounds); round++) {
        runs.push(await bench.load(`--rate 20000 --seconds ${values.seconds} --batch 500`))
      }
      const measured = middle(runs)
      const readMs = median(await timesOfReading(bench))
      const cost = measured.serverCpu + measured.postgresCpu
      seen.push({ perSecond: 1e6 / cost, readMs })
      rows.push({ ...rowOf(`${millions} million events`, measured), 'read p50 ms': Number(readMs.toFixed(1)) })
    }
    const [first, last] = [seen[0]!, seen.at(-1)!]
    return {
      rows,
      verdicts: [
        { what: 'events a CPU-second, last size ÷ first', value: last.perSecond / first.perSecond, atLeast: 0.8 },
        { what: 'time of a read, last size ÷ first', value: last.readMs / first.readMs, atMost: 1.2 },
      ],
    }
  } finally {
    await bench.close()
  }
}

/** Writes the past, hour by hour further back, until there are so many events. */
async function fill({ client }: IngestBench, events: number): Promise<void> {
  const { rows } = await client.query<{ events: number; oldest: Date | null }>(
    'select count(*)::int as events, min(created_at) as oldest from public.events',
  )
  const { events: there, oldest } = rows[0]!
  const seconds = Math.max(0, Math.ceil((events - there) / pastSecondRows))
  progress(`writing ${(seconds * pastSecondRows).toLocaleString('en')} events of the past`)
  const end = Math.min(oldest?.getTime() ?? Infinity, Date.now() - 600_000)
  await client.query(`select cagg.ensure_partitions('events', $1, now())`, [new Date(end - seconds * 1000)])
  for (let second = 1; second <= seconds; second++) {
    await client.query('call bench_pool.write($1::int, $2::timestamptz)', [
      pastSecondRows,
      new Date(end - second * 1000),
    ])
  }
  await client.query('select cagg.run_maintenance()')
  await client.query('analyze public.events')
}

async function timesOfReading({ server }: IngestBench): Promise<number[]> {
  const times: number[] = []
  for (let read = 0; read < reads; read++) {
    const start = performance.now()
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`${server.url}/graphql`, { method: 'POST', headers, body: QUESTION })
    const { errors } = (await response.json()) as { errors?: unknown }
    if (errors) throw new Error(JSON.stringify(errors))
    times.push(performance.now() - start)
  }
  return times
}
