// How fresh a stream is: from the commit of the newest row in a message until its frame is here, while 5,000 events a second
// come in and a hundred viewers look on.
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type BenchResult, quantile, startBenchPostgres } from './kit.ts'
import { startServer, startViewers, writeEvents } from './kit/streams.ts'

export const about = 'commit → frame at the client, 100 subscribers with every: PT0.05S, 5,000 events/s'

const query = `subscription {
  metrics(metrics: [EVENTS, PAGE_VIEWS, ERRORS], window: "PT1M", every: "PT0.05S") {
    kind cursor previousCursor windowEnd committedAt totals { metric value } points { bucket values }
  }
}`

/** As many calls bring a second's events. Ten are of 500 events, as `npm run load` has them; from twenty on messages wait for their turn. */
const callsPerSecond = [10, 20, 50]

export async function run(args: string[]): Promise<BenchResult> {
  const { values } = parseArgs({
    args,
    options: { rate: { type: 'string', default: '5000' }, seconds: { type: 'string', default: '20' } },
  })
  const perSecond = Number(values.rate)
  const postgres = await startBenchPostgres()
  await (await postgres.makeDatabase('bench')).end()
  const server = await startServer({ DATABASE_URL: postgres.url('bench') })
  const rows: BenchResult['rows'] = []
  const verdicts: BenchResult['verdicts'] = []
  try {
    const viewers = await startViewers({ port: server.port, count: 100, atOnce: 20, operations: [{ query }] })
    for (const calls of callsPerSecond) {
      const began = performance.now()
      const writer = writeEvents(server.url, { perSecond, perCall: Math.ceil(perSecond / calls) })
      await sleep(3_000)
      await viewers.reset()
      const counted = performance.now()
      await sleep(Number(values.seconds) * 1000)
      const { latenciesMs, messages, lost, ended } = await viewers.report()
      const seconds = (performance.now() - counted) / 1000
      const written = await writer.stop()
      const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => quantile(latenciesMs, share)) as [number, number, number]
      rows.push({
        'calls/s': calls,
        'events/s': Math.round(written / ((performance.now() - began) / 1000)),
        'messages/s a viewer': Number((messages / seconds / 100).toFixed(1)),
        'p50 ms': p50,
        'p95 ms': p95,
        'p99 ms': p99,
        lost: lost + ended,
      })
      verdicts.push(
        { what: `p50 ms, ${calls} calls a second`, value: p50, atMost: 20 },
        { what: `p99 ms, ${calls} calls a second`, value: p99, atMost: 150 },
      )
    }
    await viewers.close()
    return { rows, verdicts }
  } finally {
    await server.stop()
    await postgres.close()
  }
}
