// What the aggregates cost a bulk load: COPY of events in batches, with all views of sql/views and into a bare twin of the table.
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { makeBareTwin } from './kit/bareTwin.ts'
import { EVENT_COLUMNS, eventLines } from './kit/events.ts'
import { type BenchResult, cpuSeconds, median, progress, startBenchPostgres } from './kit.ts'

export const about = 'COPY of events with every view, against the same COPY into the same table without triggers'

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
  const postgres = await startBenchPostgres()
  try {
    const client = await postgres.makeDatabase('bench')
    await makeBareTwin(client)
    const pid = (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]!.pid
    const seen = { bare: [] as Measured[], folded: [] as Measured[] }
    const base = Date.now()
    for (let round = 0; round < Number(values.rounds) + warmUpRounds; round++) {
      const text = eventLines(
        batchRows,
        base + (round * batchRows * 1000) / Number(values.rate),
        (batchRows * 1000) / Number(values.rate),
      )
      // In turn, and each first every other time, so that a machine that drifts drifts for both.
      const turn = round % 2 ? (['bare', 'folded'] as const) : (['folded', 'bare'] as const)
      for (const each of turn) {
        const measured = await copy(client, pid, each === 'bare' ? 'bare_events' : 'public.events', text)
        if (round >= warmUpRounds) seen[each].push(measured)
      }
    }
    progress('checking that the aggregates are exact')
    const drifted = await client.query<{ view_name: string }>(
      `select view_name from cagg.continuous_aggregates where cagg.drift(view_name) <> 0`,
    )
    if (drifted.rows.length > 0) throw new Error(`drift in ${drifted.rows.map((row) => row.view_name).join(', ')}`)
    await client.end()
    const rate = (each: Measured[]) => batchRows / median(each.map(({ seconds }) => seconds))
    const cpu = (each: Measured[]) => (each.reduce((sum, { cpu }) => sum + cpu, 0) / each.length / batchRows) * 1e6
    return {
      rows: (['bare', 'folded'] as const).map((each) => ({
        table: each,
        'rows/s': Math.round(rate(seen[each])),
        'server CPU µs/row': Number(cpu(seen[each]).toFixed(2)),
        'batch rows': batchRows,
        batches: seen[each].length,
      })),
      verdicts: [
        {
          what: 'rows/s with every view ÷ without triggers',
          value: rate(seen.folded) / rate(seen.bare),
          atLeast: 0.67,
        },
      ],
    }
  } finally {
    await postgres.close()
  }
}

const warmUpRounds = 3

interface Measured {
  seconds: number
  cpu: number
}

async function copy(client: pg.Client, pid: number, table: string, text: Buffer): Promise<Measured> {
  const cpuBefore = cpuSeconds(pid)
  const start = performance.now()
  const stream = client.query(copyFrom(`copy ${table} (${EVENT_COLUMNS}) from stdin`))
  stream.end(text)
  await once(stream, 'finish')
  return { seconds: (performance.now() - start) / 1000, cpu: cpuSeconds(pid) - cpuBefore }
}
