// What a removal of the largest value makes readers of a whole day wait: over a finer level, and straight over the raw rows.
import { parseArgs } from 'node:util'
import type pg from 'pg'
import { type BenchResult, median, progress, startBenchPostgres } from './kit.ts'

export const about =
  'reading a day of 4.3 million rows after its largest value is gone, over finer levels and over raw rows'

const measures = 'count(*) as n, sum(v) as total, max(v) as high, cagg.distinct_sketch(who) as people'
const rolled = 'sum(n) as n, sum(total) as total, max(high) as high, cagg.rollup(people) as people'
const definitions: [view: string, definition: string][] = [
  ['alone_1d', `select cagg.time_bucket('1 day', ts) as bucket, country, ${measures} from readings group by 1, 2`],
  ['level_1s', `select cagg.time_bucket('1 second', ts) as bucket, country, ${measures} from readings group by 1, 2`],
  ['level_1m', `select cagg.time_bucket('1 minute', bucket) as bucket, country, ${rolled} from level_1s group by 1, 2`],
  ['level_1h', `select cagg.time_bucket('1 hour', bucket) as bucket, country, ${rolled} from level_1m group by 1, 2`],
  ['level_1d', `select cagg.time_bucket('1 day', bucket) as bucket, country, ${rolled} from level_1h group by 1, 2`],
]

export async function run(args: string[]): Promise<BenchResult> {
  const { values } = parseArgs({
    args,
    options: { rows: { type: 'string', default: '4300000' }, rounds: { type: 'string', default: '5' } },
  })
  const postgres = await startBenchPostgres()
  try {
    const client = await postgres.makeDatabase('bench')
    progress(`writing a day of ${Number(values.rows).toLocaleString('en')} rows`)
    await client.query(`
      create table readings (ts timestamptz not null, country text, v int, who int);
      create index on readings (ts);
      insert into readings
      select '2026-03-01'::timestamptz + i * interval '1 day' / ${values.rows}, 'C' || i % 10, i, i % 50000 from generate_series(0, ${values.rows} - 1) as i`)
    await client.query('vacuum analyze readings')
    for (const [view, definition] of definitions)
      await client.query('select cagg.create_continuous_aggregate($1, $2)', [view, definition])
    await client.query('select cagg.run_maintenance()')
    const rows: BenchResult['rows'] = []
    for (const view of ['level_1d', 'alone_1d']) {
      progress(`reading ${view}`)
      const clean: number[] = []
      const spoiled: number[] = []
      const cleaned: number[] = []
      const idle: number[] = []
      for (let round = 0; round < Number(values.rounds); round++) {
        clean.push(await timeOf(client, `select bucket, country, n, high from ${view}`))
        await client.query(`delete from readings where ts = (select max(ts) from readings where country = 'C${round}')`)
        spoiled.push(await timeOf(client, `select bucket, country, n, high from ${view}`))
        cleaned.push(await timeOf(client, 'select cagg.run_maintenance()'))
        idle.push(await timeOf(client, 'select cagg.run_maintenance()'))
      }
      const of = (times: number[]) => Number(median(times).toFixed(1))
      rows.push({
        view,
        'clean read ms': of(clean),
        'spoiled read ms': of(spoiled),
        'maintenance ms': of(cleaned),
        'idle maintenance ms': of(idle),
      })
    }
    await client.end()
    const [levels, alone] = rows.map((row) => Number(row['spoiled read ms']))
    return {
      rows,
      verdicts: [{ what: 'over raw rows ÷ over finer levels, spoiled read', value: alone! / levels!, atLeast: 10 }],
    }
  } finally {
    await postgres.close()
  }
}

async function timeOf(client: pg.Client, text: string): Promise<number> {
  const start = performance.now()
  await client.query(text)
  return performance.now() - start
}
