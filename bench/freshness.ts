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

export async function run(args: string[]): Promise<BenchResult> {
  const { values } = parseArgs({
    args,
    options: { rate: { type: 'string', default: '5000' }, seconds: { type: 'string', default: '30' } },
  })
  const postgres = await startBenchPostgres()
  await (await postgres.makeDatabase('bench')).end()
  const server = await startServer({ DATABASE_URL: postgres.url('bench') })
  try {
    const perSecond = Number(values.rate)
    const writer = writeEvents(server.url, { perSecond, perCall: Math.ceil(perSecond / 20) })
    const viewers = await startViewers({ port: server.port, count: 100, atOnce: 20, operations: [{ query }] })
    await sleep(3_000)
    await viewers.reset()
    await sleep(Number(values.seconds) * 1000)
    const { latenciesMs, messages, lost, ended } = await viewers.report()
    await viewers.close()
    const written = await writer.stop()
    const p50 = quantile(latenciesMs, 0.5)
    const p99 = quantile(latenciesMs, 0.99)
    return {
      rows: [
        {
          'events/s': Math.round(written / (Number(values.seconds) + 3)),
          'messages/s a viewer': Number((messages / Number(values.seconds) / 100).toFixed(1)),
          'p50 ms': p50,
          'p95 ms': quantile(latenciesMs, 0.95),
          'p99 ms': p99,
          lost: lost + ended,
        },
      ],
      verdicts: [
        { what: 'p50 ms', value: p50, atMost: 20 },
        { what: 'p99 ms', value: p99, atMost: 150 },
      ],
    }
  } finally {
    await server.stop()
    await postgres.close()
  }
}
