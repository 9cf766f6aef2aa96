// What the aggregates cost writers of single rows: inserts of one event a commit on eight connections, with all views and without.
import { parseArgs } from 'node:util'
import type pg from 'pg'
import { makeEvents } from '../load/events.ts'
import { makeTwin } from './kit/twins.ts'
import { EVENT_COLUMNS, fieldsOf, placesOf } from './kit/rows.ts'
import { type BenchResult, connect, median, progress, quantile, startBenchPostgres } from './kit.ts'

export const about = 'single-row inserts on 8 connections with every view, against the same without triggers'

const insert = (table: string) => ({
  name: `into ${table}`,
  text: `insert into ${table} (${EVENT_COLUMNS}) values ${placesOf(1)}`,
})

export async function run(args: string[]): Promise<BenchResult> {
  const { values } = parseArgs({
    args,
    options: {
      connections: { type: 'string', default: '8' },
      rounds: { type: 'string', default: '6' },
      seconds: { type: 'string', default: '2' },
    },
  })
  const postgres = await startBenchPostgres()
  try {
    const admin = await postgres.makeDatabase('bench')
    await makeTwin(admin, 'bare_events')
    const clients = await Promise.all(
      Array.from({ length: Number(values.connections) }, () => connect(postgres.url('bench'))),
    )
    const rates = { bare_events: [] as number[], 'public.events': [] as number[] }
    const latencies = { bare_events: [] as number[], 'public.events': [] as number[] }
    for (let round = 0; round <= Number(values.rounds); round++) {
      for (const table of ['bare_events', 'public.events'] as const) {
        const seen = await insertFor(clients, table, Number(values.seconds) * 1000)
        if (round === 0) continue // Plans are made, pages are touched.
        rates[table].push(seen.length / Number(values.seconds))
        latencies[table].push(...seen)
      }
    }
    progress('checking that the aggregates are exact')
    const drifted = await admin.query(
      'select view_name from cagg.continuous_aggregates where cagg.drift(view_name) <> 0',
    )
    if (drifted.rows.length > 0) throw new Error(`drift in ${JSON.stringify(drifted.rows)}`)
    await Promise.all([admin, ...clients].map((client) => client.end()))
    return {
      rows: (['bare_events', 'public.events'] as const).map((table) => ({
        table: table === 'bare_events' ? 'without triggers' : 'with every view',
        'inserts/s': Math.round(median(rates[table])),
        'p50 ms': Number(quantile(latencies[table], 0.5).toFixed(2)),
        'p99 ms': Number(quantile(latencies[table], 0.99).toFixed(2)),
        connections: clients.length,
      })),
      verdicts: [
        {
          what: 'inserts/s with every view ÷ without triggers',
          value: median(rates['public.events']) / median(rates.bare_events),
          atLeast: 0.5,
        },
      ],
    }
  } finally {
    await postgres.close()
  }
}

/** Each client inserts one row after the other; resolves with what each took, in ms. */
async function insertFor(clients: pg.Client[], table: string, durationMs: number): Promise<number[]> {
  const seen: number[] = []
  const until = performance.now() + durationMs
  await Promise.all(
    clients.map(async (client) => {
      const events = makeEvents('single')
      while (performance.now() < until) {
        const [row] = fieldsOf(events.copy(1, Date.now(), 0))
        const start = performance.now()
        await client.query({ ...insert(table), values: row })
        seen.push(performance.now() - start)
      }
    }),
  )
  return seen
}
