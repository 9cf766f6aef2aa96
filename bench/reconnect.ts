// A storm: thousands of viewers are cut off at the same moment and all come back at once, each with its cursor, while events go
// on coming in. How long until every one of them has been told on, and whether anything was lost on either side.
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type BenchResult, cpuSeconds, progress, quantile, startBenchPostgres } from './kit.ts'
import { twentyStreams } from './kit/operations.ts'
import { startServer, startViewers, writeEvents } from './kit/streams.ts'

export const about =
  '5,000 viewers cut off at once that come back with their cursors, while events come in: s until all are served'

export async function run(args: string[]): Promise<BenchResult> {
  const { values } = parseArgs({
    args,
    options: {
      viewers: { type: 'string', default: '5000' },
      storms: { type: 'string', default: '3' },
      rate: { type: 'string', default: '1000' },
    },
  })
  const postgres = await startBenchPostgres()
  const client = await postgres.makeDatabase('bench')
  const server = await startServer({ DATABASE_URL: postgres.url('bench') })
  const rows: BenchResult['rows'] = []
  let slowest = 0
  let lost = 0
  try {
    const count = Number(values.viewers)
    const perSecond = Number(values.rate)
    const writer = writeEvents(server.url, { perSecond, perCall: perSecond / 10 })
    await sleep(3_000)
    progress(`connecting ${count} viewers`)
    const viewers = await startViewers({ port: server.port, count, atOnce: 100, operations: twentyStreams })
    for (let storm = 1; storm <= Number(values.storms); storm++) {
      await sleep(3_000)
      await viewers.reset()
      const cpu = [server.pid, viewers.pid].map((pid) => cpuSeconds(pid))
      const servedMs = await viewers.cut()
      const [serverCpu, viewersCpu] = [server.pid, viewers.pid].map((pid, index) => cpuSeconds(pid) - cpu[index]!)
      await sleep(3_000)
      const report = await viewers.report()
      const lastMs = Math.max(...servedMs)
      slowest = Math.max(slowest, lastMs)
      lost += report.lost + report.ended
      rows.push({
        storm,
        viewers: servedMs.length,
        'half served s': Number((quantile(servedMs, 0.5) / 1000).toFixed(2)),
        'all served s': Number((lastMs / 1000).toFixed(2)),
        'server CPU s': Number(serverCpu!.toFixed(1)),
        'viewers CPU s': Number(viewersCpu!.toFixed(1)),
        'given the whole again': report.snapshots,
        lost: report.lost,
        ended: report.ended,
      })
    }
    const written = await writer.stop()
    await viewers.close()
    const counted = await client.query<{ events: string }>('select count(*) as events from public.events')
    return {
      rows: rows.map((row) => ({ ...row, 'slowest call ms': Math.round(writer.slowestMs()) })),
      verdicts: [
        { what: 's until all are served', value: slowest / 1000, atMost: 10 },
        { what: 'messages and viewers lost', value: lost, atMost: 0 },
        { what: 'acknowledged events that are not there', value: written - Number(counted.rows[0]!.events), atMost: 0 },
      ],
    }
  } finally {
    await client.end()
    await server.stop()
    await postgres.close()
  }
}
