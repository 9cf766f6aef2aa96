// What the benches of ingest share: a built server on the bench's PostgreSQL, loads from a process of their own, and the
// processor time that each of the three took.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type pg from 'pg'
import type { LoadResult } from '../../load/load.ts'
import { type BenchPostgres, cpuSeconds, progress, projectDir, startBenchPostgres } from '../kit.ts'
import { type BenchServer, startServer } from './streams.ts'

export interface IngestBench {
  client: pg.Client
  server: BenchServer
  /** Runs load/main.ts with these flags; throws where acknowledged and counted events differ. */
  load(flags: string): Promise<Measured>
  /** Runs one of bench/kit's own writers on the database; it prints its rows and seconds as JSON. */
  write(file: string, args: string[]): Promise<Measured>
  /** Throws where an aggregate of events is not what the raw rows say. */
  assertExact(): Promise<void>
  close(): Promise<void>
}

export interface Measured {
  perSecond: number
  p50Ms: number | null
  p99Ms: number | null
  /** Processor time a row, in µs, of the server, PostgreSQL and the process that sends. */
  serverCpu: number
  postgresCpu: number
  senderCpu: number
  result: LoadResult
}

export async function startIngestBench(): Promise<IngestBench> {
  const postgres: BenchPostgres = await startBenchPostgres()
  try {
    const client = await postgres.makeDatabase('bench')
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    const postmaster = parentOf(rows[0]!.pid)
    const server = await startServer({ DATABASE_URL: postgres.url('bench'), LOG_LEVEL: 'warn' })

    async function run(file: string, args: string[]): Promise<Measured> {
      const before = { server: cpuSeconds(server.pid), postgres: cpuSeconds(postmaster, true) }
      const child = spawn(process.execPath, ['--import', 'tsx', join(projectDir, file), ...args], {
        cwd: projectDir,
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      let said = ''
      child.stdout.on('data', (chunk) => (said += String(chunk)))
      const [code] = (await once(child, 'close')) as [number]
      const result = said === '' ? undefined : (JSON.parse(said) as LoadResult)
      if (code !== 0 || !result) throw new Error(`${file} ${args.join(' ')} ended with ${code}: ${said}${server.log()}`)
      const { accepted } = result.rows
      const perRow = (seconds: number) => Number(((seconds * 1e6) / accepted).toFixed(2))
      return {
        perSecond: accepted / result.seconds,
        p50Ms: result.p50Ms ?? null,
        p99Ms: result.p99Ms ?? null,
        serverCpu: perRow(cpuSeconds(server.pid) - before.server),
        postgresCpu: perRow(cpuSeconds(postmaster, true) - before.postgres),
        senderCpu: perRow(result.cpuSeconds),
        result,
      }
    }

    return {
      client,
      server,
      load: (flags) => run('load/main.ts', ['--json', '--url', `${server.url}/graphql`, ...flags.split(' ')]),
      write: (file, args) => run(`bench/kit/${file}`, [postgres.url('bench'), ...args]),
      async assertExact() {
        progress('checking that the aggregates are exact')
        const drifted = await client.query<{ view_name: string }>(`
          select view_name from cagg.continuous_aggregates
          where view_name ~ '^metrics.(events|sessions)_' and cagg.drift(view_name) <> 0`)
        if (drifted.rows.length > 0) throw new Error(`drift in ${drifted.rows.map((row) => row.view_name).join(', ')}`)
      },
      async close() {
        await client.end()
        await server.stop()
        await postgres.close()
      },
    }
  } catch (error) {
    await postgres.close()
    throw error
  }
}

const parentOf = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
}

/** The run in the middle by its rate. */
export const middle = (runs: readonly Measured[]): Measured =>
  [...runs].sort((a, b) => a.perSecond - b.perSecond)[Math.floor(runs.length / 2)] as Measured

export const rowOf = (what: string, measured: Measured): Record<string, string | number> => ({
  what,
  'events/s': Math.round(measured.perSecond),
  'p50 ms': Math.round(measured.p50Ms ?? NaN) || '',
  'p99 ms': Math.round(measured.p99Ms ?? NaN) || '',
  'server CPU µs/event': measured.serverCpu,
  'PostgreSQL CPU µs/event': measured.postgresCpu,
  'sender CPU µs/event': measured.senderCpu,
})
