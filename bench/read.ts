// What a reader waits for the last five minutes by second and country while events come in, against the same from raw rows.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type pg from 'pg'
import { fillPool } from './kit/pool.ts'
import { type BenchResult, cpuSeconds, median, progress, projectDir, quantile, startBenchPostgres } from './kit.ts'

export const about = 'the last 5 minutes by second and country while events come in, against the same from raw rows'

const fromAggregate = `
  select bucket, key as country, events, purchase_amount from metrics.events_1s
   where dimension = 'COUNTRY' and bucket >= date_trunc('second', now()) - interval '5 minutes' order by 1, 2`

const fromRows = `
  select date_trunc('second', created_at) as bucket, coalesce(country, 'unknown') as country, count(*) as events,
         sum(amount) filter (where event_type = 'purchase') as purchase_amount
    from public.events where created_at >= date_trunc('second', now()) - interval '5 minutes' group by 1, 2 order by 1, 2`

export async function run(args: string[]): Promise<BenchResult> {
  const { values } = parseArgs({
    args,
    options: {
      /** Events a second, in the five minutes before and while it is read. */
      rate: { type: 'string', default: '20000' },
      reads: { type: 'string', default: '200' },
      'raw-reads': { type: 'string', default: '5' },
    },
  })
  const rate = Number(values.rate)
  const postgres = await startBenchPostgres()
  try {
    const client = await postgres.makeDatabase('bench')
    await fillPool(client)
    progress(`writing the five minutes before: ${(rate * 300).toLocaleString('en')} events`)
    for (let second = 300; second > 0; second--) {
      await client.query('call bench_pool.write($1::int, now() - make_interval(secs => $2::int))', [rate, second])
    }
    await client.query('select cagg.run_maintenance()')
    await client.query('analyze')

    const writer = spawn(
      process.execPath,
      ['--import', 'tsx', join(projectDir, 'bench/kit/poolWriter.ts'), postgres.url('bench'), String(rate)],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    await once(writer.stdout, 'data')
    progress('reading while events come in')
    const start = performance.now()
    const before = await countOf(client)
    const aggregate = await timesOf(client, fromAggregate, Number(values.reads))
    const raw = await timesOf(client, fromRows, Number(values['raw-reads']))
    const arrived = ((await countOf(client)) - before) / ((performance.now() - start) / 1000)
    const writerCpu = cpuSeconds(writer.pid!)
    writer.kill()
    await once(writer, 'exit')
    await client.end()
    const row = (source: string, times: number[]) => ({
      source,
      'p50 ms': Number(median(times).toFixed(2)),
      'p95 ms': Number(quantile(times, 0.95).toFixed(2)),
      reads: times.length,
      'events/s meanwhile': Math.round(arrived),
      'writer client CPU s': Number(writerCpu.toFixed(1)),
    })
    return {
      rows: [row('metrics.events_1s', aggregate), row('public.events', raw)],
      verdicts: [
        { what: 'raw rows ÷ aggregate, p50', value: median(raw) / median(aggregate), atLeast: 50 },
        { what: 'p95 of the aggregate, ms', value: quantile(aggregate, 0.95), atMost: 20 },
      ],
    }
  } finally {
    await postgres.close()
  }
}

async function timesOf(client: pg.Client, text: string, reads: number): Promise<number[]> {
  const times: number[] = []
  for (let i = 0; i < reads; i++) {
    const start = performance.now()
    await client.query({ name: text.length.toString(), text })
    times.push(performance.now() - start)
  }
  return times
}

async function countOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ events: string }>(
    `select coalesce(sum(events), 0) as events from metrics.events_1d where dimension = 'ALL'`,
  )
  return Number(rows[0]!.events)
}
