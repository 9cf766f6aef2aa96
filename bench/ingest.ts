// What the way through HTTP, checks, acknowledgements and every aggregate costs: events by ingestEvents against COPY by hand.
import { parseArgs } from 'node:util'
import { makeTwin } from './kit/twins.ts'
import { type Measured, middle, rowOf, startIngestBench } from './kit/ingest.ts'
import { type BenchResult, progress } from './kit.ts'

export const about =
  'acknowledged events/s through ingestEvents, all aggregates on, against COPY by a bare client without triggers'

const copyRows = 5_000

export async function run(args: string[]): Promise<BenchResult> {
  const { values } = parseArgs({
    args,
    options: { seconds: { type: 'string', default: '6' }, rounds: { type: 'string', default: '3' } },
  })
  const bench = await startIngestBench()
  try {
    await makeTwin(bench.client, 'bare_events')
    const load = (rows: number, seconds = values.seconds) =>
      bench.load(`--rate 0 --seconds ${seconds} --batch ${rows} --calls 24`)
    await load(500, '3')
    const runs = { bare: [] as Measured[], small: [] as Measured[], large: [] as Measured[] }
    for (let round = 1; round <= Number(values.rounds); round++) {
      progress(`round ${round} of ${values.rounds}`)
      await bench.client.query('truncate bare_events')
      runs.bare.push(await bench.write('handWriter.ts', ['copy', values.seconds, String(copyRows)]))
      runs.small.push(await load(500))
      runs.large.push(await load(2_000))
    }
    await bench.assertExact()
    const [bare, small, large] = [middle(runs.bare), middle(runs.small), middle(runs.large)]
    return {
      rows: [
        rowOf(`COPY by hand, ${copyRows} rows, no triggers`, bare),
        rowOf('ingestEvents, 500 a call', small),
        rowOf('ingestEvents, 2,000 a call', large),
      ],
      verdicts: [
        { what: '500 a call ÷ COPY by hand', value: small.perSecond / bare.perSecond, atLeast: 0.5 },
        { what: '2,000 a call ÷ COPY by hand', value: large.perSecond / bare.perSecond, atLeast: 0.5 },
        { what: 'events/s, 500 a call', value: small.perSecond, atLeast: 100_000 },
        { what: 'events/s, 2,000 a call', value: large.perSecond, atLeast: 100_000 },
      ],
    }
  } finally {
    await bench.close()
  }
}
