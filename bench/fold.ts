// What aggregates cost a bulk load: COPY of events in batches into tables alike, from one without aggregates to Lookout's own.
import { parseArgs } from 'node:util'
import type pg from 'pg'
import { makeEvents } from '../load/events.ts'
import { makeTwin } from './kit/twins.ts'
import { copyInto } from './kit/rows.ts'
import { type BenchResult, cpuSeconds, median, progress, startBenchPostgres } from './kit.ts'

export const about = 'COPY of events with every view, against the same COPY into the same table without triggers'

const tables = {
  bare_events: 'none',
  one_events: '1: events and revenue by second and country',
  four_events: '4: the same by second, minute, hour and day',
  'public.events': `8: Lookout's own, five breakdowns each, distinct sessions among them`,
}
type Table = keyof typeof tables
const names = Object.keys(tables) as Table[]
const warmUpRounds = 3

export async function run(args: string[]): Promise<BenchResult> {
  const { values } = parseArgs({
    args,
    options: {
      rows: { type: 'string', default: '5000' },
      rounds: { type: 'string', default: '40' },
      rate: { type: 'string', default: '50000' },
    },
  })
  const batchRows = Number(values.rows)
  const batchMs = (batchRows * 1000) / Number(values.rate)
  const postgres = await startBenchPostgres()
  try {
    const client = await postgres.makeDatabase('bench')
    await makeTwins(client)
    const pid = (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]!.pid
    const seen: Record<Table, Measured[]> = { bare_events: [], one_events: [], four_events: [], 'public.events': [] }
    const events = makeEvents('fold')
    const base = Date.now()
    for (let round = 0; round < Number(values.rounds) + warmUpRounds; round++) {
      const lines = events.copy(batchRows, base + round * batchMs, batchMs)
      // In turn, so that a machine that drifts drifts for all.
      for (let i = 0; i < names.length; i++) {
        const name = names[(i + round) % names.length]!
        const measured = await measure(client, pid, name, lines)
        if (round >= warmUpRounds) seen[name].push(measured)
      }
    }
    progress('checking that the aggregates are exact')
    const drifted = await client.query<{ view_name: string }>(
      `select view_name from cagg.continuous_aggregates where cagg.drift(view_name) <> 0`,
    )
    if (drifted.rows.length > 0) throw new Error(`drift in ${drifted.rows.map((row) => row.view_name).join(', ')}`)
    await client.end()

    const rateOf = (name: Table) => batchRows / median(seen[name].map(({ seconds }) => seconds))
    const cpuOf = (name: Table) =>
      (seen[name].reduce((sum, { cpu }) => sum + cpu, 0) / seen[name].length / batchRows) * 1e6
    return {
      rows: names.map((name) => ({
        aggregates: tables[name],
        'rows/s': Math.round(rateOf(name)),
        ratio: Number((rateOf(name) / rateOf('bare_events')).toFixed(2)),
        'server CPU µs/row': Number(cpuOf(name).toFixed(2)),
      })),
      verdicts: [
        {
          what: `rows/s with every view ÷ without triggers, batches of ${batchRows}`,
          value: rateOf('public.events') / rateOf('bare_events'),
          atLeast: 0.67,
        },
      ],
    }
  } finally {
    await postgres.close()
  }
}

async function makeTwins(client: pg.Client): Promise<void> {
  for (const name of ['bare_events', 'one_events', 'four_events']) await makeTwin(client, name)
  for (const name of ['one_events', 'four_events'])
    await client.query(`select cagg.create_continuous_aggregate('${name}_1s', $$
      select cagg.time_bucket('1 second', created_at) as bucket, country, count(*) as events, sum(amount) as revenue
        from ${name} group by 1, 2 $$)`)
  for (const [finer, level, width] of [
    ['1s', '1m', '1 minute'],
    ['1m', '1h', '1 hour'],
    ['1h', '1d', '1 day'],
  ])
    await client.query(`select cagg.create_continuous_aggregate('four_events_${level}', $$
      select cagg.time_bucket('${width}', bucket) as bucket, country, sum(events) as events, sum(revenue) as revenue
        from four_events_${finer} group by 1, 2 $$)`)
}

interface Measured {
  seconds: number
  cpu: number
}

async function measure(client: pg.Client, pid: number, table: string, lines: string): Promise<Measured> {
  const cpuBefore = cpuSeconds(pid)
  const start = performance.now()
  await copyInto(client, table, lines)
  return { seconds: (performance.now() - start) / 1000, cpu: cpuSeconds(pid) - cpuBefore }
}
