// Many live viewers, each on a socket of its own, with twenty distinct windows between them and an update a second: how late after
// the commit messages come, what a viewer costs in memory, and whether any message was lost.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type BenchResult, cpuSeconds, progress, quantile, residentMb, startBenchPostgres } from './kit.ts'
import { twentyStreams } from './kit/operations.ts'
import { startServer, startViewers, sumReports, type Viewers, writeEvents } from './kit/streams.ts'

export const about =
  '10,000 then 20,000 live subscribers of 20 streams, an update a second: commit → client, memory a subscriber'

const socketsAProcess = 5_000
/** What the server opens beside its sockets. */
const otherFilesMax = 250

/** Of a process on this machine; where viewers outnumber them, some share a socket. */
function socketsMax(): number {
  const [, hard] = /Max open files +\d+ +(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
  return Number(hard ?? Infinity) - otherFilesMax
}

export async function run(args: string[]): Promise<BenchResult> {
  const { values } = parseArgs({
    args,
    options: {
      steps: { type: 'string', default: '10000,20000' },
      seconds: { type: 'string', default: '30' },
    },
  })
  const postgres = await startBenchPostgres()
  await (await postgres.makeDatabase('bench')).end()
  const server = await startServer({ DATABASE_URL: postgres.url('bench') })
  const all: Viewers[] = []
  const rows: BenchResult['rows'] = []
  const verdicts: BenchResult['verdicts'] = []
  try {
    const writer = writeEvents(server.url, { perSecond: 200, perCall: 50 })
    await sleep(3_000)
    const emptyMb = residentMb(server.pid)
    const steps = values.steps.split(',').map(Number)
    const shared = Math.max(0, Math.max(...steps) - socketsMax())
    let subscribers = 0
    let sockets = 0
    for (const step of steps) {
      progress(`connecting ${step} subscribers`)
      while (subscribers < step) {
        // Two on a socket first, as many as there must be.
        const each = sockets < shared ? 2 : 1
        const count = Math.min(socketsAProcess, (step - subscribers) / each, each === 2 ? shared - sockets : Infinity)
        all.push(await startViewers({ port: server.port, count, atOnce: 100, operations: twentyStreams, each }))
        sockets += count
        subscribers += count * each
      }
      await sleep(2_000)
      await Promise.all(all.map((each) => each.reset()))
      const cpu = cpuSeconds(server.pid)
      const began = performance.now()
      await sleep(Number(values.seconds) * 1000)
      const seconds = (performance.now() - began) / 1000
      const share = (cpuSeconds(server.pid) - cpu) / seconds
      const report = sumReports(await Promise.all(all.map((each) => each.report())))
      const mean = report.latenciesMs.reduce((sum, ms) => sum + ms, 0) / report.latenciesMs.length
      const lost = report.lost + report.ended
      rows.push({
        subscribers: step,
        sockets,
        'messages/s': Math.round(report.messages / seconds),
        'mean ms': Math.round(mean),
        'p50 ms': Math.round(quantile(report.latenciesMs, 0.5)),
        'p99 ms': Math.round(quantile(report.latenciesMs, 0.99)),
        lost,
        'server CPU %': Math.round(share * 100),
        'KB a subscriber': Number((((residentMb(server.pid) - emptyMb) * 1024) / step).toFixed(1)),
      })
      verdicts.push({ what: `${step} subscribers: mean ms from commit to client`, value: mean, atMost: 500 })
      verdicts.push({ what: `${step} subscribers: messages and viewers lost`, value: lost, atMost: 0 })
    }
    await writer.stop()
    return { rows, verdicts }
  } finally {
    for (const viewers of all) await viewers.close()
    await server.stop()
    await postgres.close()
  }
}
