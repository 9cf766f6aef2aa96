// Fan-out of one stream, in turns: Lookout, what it is held against, Lookout again, …; the machine drifts for both.
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type BenchResult, cpuSeconds, median, progress, startBenchPostgres } from '../kit.ts'
import type { Broadcasting } from './broadcasters.ts'
import { answerOf, forkTs, startServer, startViewers, type Viewers } from './streams.ts'

// The stream of statistics: making a message costs next to nothing, so what is measured is the way out.
const fields = [
  'at startedAt uptimeSeconds rowsAccepted rowsDuplicate rowsRejected rowsPerSecond queueRows queueRowsMax commitLatencyMs',
  'streamLagMs subscribers windows memoryBytes databaseBytes databaseVersion',
  // To 600 bytes.
  'a: startedAt b: startedAt c: startedAt d: startedAt',
].join(' ')
const query = (everyMs: number) => `subscription { stats(every: "PT${everyMs / 1000}S") { ${fields} } }`

/** One reading of Lookout's, so that the other side sends the same bytes. */
async function readStats(url: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: `{ stats { ${fields} } }` }),
  })
  return ((await response.json()) as { data: { stats: Record<string, unknown> } }).data.stats
}

const typeDefsOf = (stats: Record<string, unknown>) => `
  type Query { ok: Boolean }
  type Subscription { stats(every: String!): Stats! }
  type Stats { ${Object.entries(stats).map(([name, value]) => `${name}: ${typeof value === 'string' ? 'String' : 'Float'}`)} }`

interface Side {
  pid: number
  viewers: Viewers
  perCpuSecond: number[]
  bytes: number
}

export async function fanOut(kind: Broadcasting['kind'], args: string[], atLeast: number): Promise<BenchResult> {
  const { values } = parseArgs({
    args,
    options: {
      viewers: { type: 'string', default: '1000' },
      seconds: { type: 'string', default: '6' },
      rounds: { type: 'string', default: '4' },
    },
  })
  const count = Number(values.viewers)
  // The stock server cannot send to a thousand more often than that.
  const everyMs = kind === 'bare' ? 50 : 250
  const postgres = await startBenchPostgres()
  await (await postgres.makeDatabase('bench')).end()
  const server = await startServer({ DATABASE_URL: postgres.url('bench') })
  const other = forkTs('bench/kit/broadcasters.ts')
  const opened: Viewers[] = []
  try {
    const update = await readStats(server.url)
    other.send({ kind, everyMs, typeDefs: typeDefsOf(update), update } satisfies Broadcasting)
    const { port } = (await answerOf(other)) as { port: number }
    progress('connecting')
    const open = async (port: number, operations?: { query: string }[]) => {
      const viewers = await startViewers({ port, count, atOnce: 50, operations })
      opened.push(viewers)
      return viewers
    }
    const sides: Side[] = [
      { pid: server.pid, viewers: await open(server.port, [{ query: query(everyMs) }]), perCpuSecond: [], bytes: 0 },
      {
        pid: other.pid!,
        viewers: await open(port, kind === 'stock' ? [{ query: query(everyMs) }] : undefined),
        perCpuSecond: [],
        bytes: 0,
      },
    ]
    let ended = 0
    for (let round = 0; round < Number(values.rounds); round++) {
      // Both run all the time, each is measured over the same seconds.
      await Promise.all(sides.map(({ viewers }) => viewers.reset()))
      const before = sides.map(({ pid }) => cpuSeconds(pid))
      await sleep(Number(values.seconds) * 1000)
      for (const [index, side] of sides.entries()) {
        const cpu = cpuSeconds(side.pid) - before[index]!
        const report = await side.viewers.report()
        side.perCpuSecond.push(report.messages / cpu)
        side.bytes = report.bytes / report.messages
        if (index === 0) ended += report.ended
      }
    }
    const [ours, theirs] = sides.map(({ perCpuSecond }) => median(perCpuSecond)) as [number, number]
    return {
      rows: sides.map(({ perCpuSecond, bytes }, index) => ({
        server: index === 0 ? 'Lookout' : kind === 'bare' ? 'bare ws' : 'stock Yoga, graphql-ws',
        'deliveries/CPU-s': Math.round(median(perCpuSecond)),
        'µs a delivery': Number((1e6 / median(perCpuSecond)).toFixed(1)),
        'bytes a message': Math.round(bytes),
        viewers: count,
      })),
      verdicts: [
        { what: `deliveries per CPU-second ÷ ${kind === 'bare' ? 'bare ws' : 'stock'}`, value: ours / theirs, atLeast },
        { what: 'viewers lost', value: ended, atMost: 0 },
      ],
    }
  } finally {
    for (const viewers of opened) await viewers.close()
    other.kill()
    await server.stop()
    await postgres.close()
  }
}
