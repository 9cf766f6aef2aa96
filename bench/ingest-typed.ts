// The typed form, against what a team would write by hand: INSERT of 500 rows at a time. By hand there is no HTTP, no check
// and no aggregate in it, and none of the counters in another store that would stand in for aggregates: it is the better half.
import { parseArgs } from 'node:util'
import { makeTwin } from './kit/twins.ts'
import { type Measured, middle, rowOf, startIngestBench } from './kit/ingest.ts'
import { type BenchResult, progress } from './kit.ts'

export const about =
  'acknowledged events/s through trackEvents, all aggregates on, against INSERT of 500 rows by a bare client'

export async function run(args: string[]): Promise<BenchResult> {
  const { values } = parseArgs({
    args,
    options: { seconds: { type: 'string', default: '6' }, rounds: { type: 'string', default: '3' } },
  })
  const bench = await startIngestBench()
  try {
    await makeTwin(bench.client, 'bare_events')
    const load = (seconds = values.seconds) =>
      bench.load(`--typed --rate 0 --seconds ${seconds} --batch 500 --calls 24`)
    await load('3')
    const runs = { hand: [] as Measured[], typed: [] as Measured[] }
    for (let round = 1; round <= Number(values.rounds); round++) {
      progress(`round ${round} of ${values.rounds}`)
      await bench.client.query('truncate bare_events')
      runs.hand.push(await bench.write('handWriter.ts', ['insert', values.seconds, '500']))
      runs.typed.push(await load())
    }
    await bench.assertExact()
    const [hand, typed] = [middle(runs.hand), middle(runs.typed)]
    return {
      rows: [rowOf('INSERT by hand, 500 rows, no triggers', hand), rowOf('trackEvents, 500 a call', typed)],
      verdicts: [
        { what: 'trackEvents ÷ INSERT by hand', value: typed.perSecond / hand.perSecond, atLeast: 2 },
        { what: 'events/s', value: typed.perSecond, atLeast: 50_000 },
      ],
    }
  } finally {
    await bench.close()
  }
}
