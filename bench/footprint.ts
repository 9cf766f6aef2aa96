// What a small installation takes: the server and its shop as `npm start` runs them, and thirty dashboards that look on.
import { chmodSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { print } from 'graphql'
import { requests } from '../client/live/requests.ts'
import { WINDOWS } from '../client/live/windows.ts'
import { type BenchResult, progress, residentMb } from './kit.ts'
import { startServer, startViewers } from './kit/streams.ts'

export const about =
  'resident memory of the server with 30 dashboards and the shop at its default rate; --minutes 10 for the long form'

/** The streams of the dashboard. */
const dashboard = [
  requests.overview(WINDOWS[1]),
  requests.pulse(),
  requests.engagement(),
  requests.revenueBy('COUNTRY', WINDOWS[1]),
  requests.revenueBy('CATEGORY', WINDOWS[1]),
  requests.orderItems(),
  requests.messages(),
  requests.stats(() => undefined),
].map(({ document, variables }) => ({ query: print(document), variables }))

export async function run(args: string[]): Promise<BenchResult> {
  const { values } = parseArgs({
    args,
    options: { minutes: { type: 'string', default: '1.5' }, dashboards: { type: 'string', default: '30' } },
  })
  const dataDir = mkdtempSync(join(tmpdir(), 'lookout-bench-'))
  chmodSync(dataDir, 0o755)
  const server = await startServer({ LOOKOUT_DATA_DIR: dataDir, LOOKOUT_SHOP: 'on' })
  try {
    const count = Number(values.dashboards)
    progress('opening the dashboards, while the shop writes its past')
    const viewers = await startViewers({
      port: server.port,
      count,
      atOnce: 5,
      operations: dashboard,
      each: dashboard.length,
    })
    const seen: number[] = []
    for (let second = 0; second < Number(values.minutes) * 60; second += 5) {
      await sleep(5_000)
      seen.push(residentMb(server.pid))
    }
    const { messages, lost, ended } = await viewers.report()
    await viewers.close()
    // What it comes to, not the moment of most.
    const mb = seen.slice(-6).reduce((sum, each) => sum + each, 0) / Math.min(6, seen.length)
    return {
      rows: [
        {
          dashboards: count,
          'server MB': Math.round(mb),
          'most MB': Math.round(Math.max(...seen)),
          'PostgreSQL MB': Math.round(postgresMb(dataDir)),
          messages,
          lost: lost + ended,
        },
      ],
      verdicts: [{ what: 'MB of the server', value: mb, atMost: 165 }],
    }
  } finally {
    await server.stop()
    rmSync(realpathSync(join(dataDir, 'postgres')), { recursive: true, force: true })
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/** All processes of the cluster, memory they share counted once each by its share. */
function postgresMb(dataDir: string): number {
  const postmaster = Number(
    readFileSync(join(realpathSync(join(dataDir, 'postgres')), 'postmaster.pid'), 'utf8').split('\n')[0],
  )
  let kilobytes = 0
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const parent = Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1])
      if (Number(pid) !== postmaster && parent !== postmaster) continue
      kilobytes += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0)
    } catch {
      // It has ended meanwhile.
    }
  }
  return kilobytes / 1024
}
