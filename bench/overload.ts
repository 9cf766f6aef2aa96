// Three times as many events as can be written: what is acknowledged then, against the best, and what it costs those who are taken.
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { rowOf, startIngestBench } from './kit/ingest.ts'
import { type BenchResult, median, progress, residentMb } from './kit.ts'

export const about =
  'acknowledged events/s at three times the capacity, against the best; PostgreSQL slowed down to make it less'

// So the capacity is a matter of waiting, as for a slow disk, and the load does not take the processor from the server.
const SLOW = `
  create function public.bench_slow() returns trigger language plpgsql as 'begin perform pg_sleep(0.5); return null; end';
  create trigger bench_slow after insert on public.events for each statement execute function public.bench_slow()`

export async function run(args: string[]): Promise<BenchResult> {
  const { values } = parseArgs({ args, options: { seconds: { type: 'string', default: '60' } } })
  const bench = await startIngestBench()
  try {
    await bench.client.query(SLOW)
    progress('the best: as many as are acknowledged')
    await bench.load('--rate 0 --seconds 5 --batch 500 --calls 24')
    const best = await bench.load('--rate 0 --seconds 15 --batch 500 --calls 24')
    progress(`three times as many, for ${values.seconds} s`)
    const memory: number[] = []
    let over = false
    const watching = (async () => {
      while (!over) {
        memory.push(residentMb(bench.server.pid))
        await delay(1000)
      }
    })()
    const rate = Math.round(best.perSecond * 3)
    const flood = await bench.load(`--rate ${rate} --seconds ${values.seconds} --batch 500 --calls 256`)
    over = true
    await watching
    await bench.assertExact()
    const third = Math.ceil(memory.length / 3)
    return {
      rows: [
        rowOf('as many as are acknowledged', best),
        { ...rowOf(`${rate} offered`, flood), refused: flood.result.rows.refused },
      ],
      verdicts: [
        {
          what: 'acknowledged at three times the capacity ÷ best',
          value: flood.perSecond / best.perSecond,
          atLeast: 0.9,
        },
        { what: 'p99 of acknowledged calls, ms', value: flood.result.answerP99Ms, atMost: 2_000 },
        {
          what: "the server's memory, last third ÷ second third",
          value: median(memory.slice(-third)) / median(memory.slice(third, 2 * third)),
          atMost: 1.1,
        },
      ],
    }
  } finally {
    await bench.close()
  }
}
