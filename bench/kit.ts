// What the benches share: a PostgreSQL of their own with Lookout's tables, processor time by process, and how a result is told.
import { chmodSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { pino } from 'pino'
import { startCluster } from '../server/db/embedded/cluster.ts'
import { placeCluster } from '../server/db/embedded/place.ts'
import { prepareDatabase } from '../server/db/prepare.ts'

export const projectDir = dirname(dirname(fileURLToPath(import.meta.url)))

/** A bench is a module of this shape; its file name is its name. */
export interface Bench {
  /** One line: what is measured, against what. */
  about: string
  run(args: string[]): Promise<BenchResult>
}

export interface BenchResult {
  /** One row a thing measured, with figures in the units that their names say. */
  rows: Record<string, string | number>[]
  /** What the bench is about: each a quotient of two figures of this run, or a bound, beside what is asked of it. */
  verdicts: Verdict[]
}

export interface Verdict {
  what: string
  value: number
  atLeast?: number
  atMost?: number
}

export interface BenchPostgres {
  /** The connection string of one of its databases. */
  url(database: string): string
  /** Makes a database with Lookout's tables, engine and views. */
  makeDatabase(name: string): Promise<pg.Client>
  close(): Promise<void>
}

/** Starts the embedded PostgreSQL as `npm start` does, durable, in a folder that goes with it. */
export async function startBenchPostgres(): Promise<BenchPostgres> {
  const log = pino({ level: 'warn' })
  const dataDir = mkdtempSync(join(tmpdir(), 'lookout-bench-'))
  chmodSync(dataDir, 0o755)
  const cluster = await startCluster(log, { clusterDir: placeCluster(dataDir, log) })
  return {
    url: cluster.url,
    async makeDatabase(name) {
      const admin = await connect(cluster.url('postgres'))
      await admin.query(`create database ${name}`).finally(() => admin.end())
      await prepareDatabase(log, { url: cluster.url(name), projectDir })
      return connect(cluster.url(name))
    },
    async close() {
      await cluster.close()
      rmSync(realpathSync(join(dataDir, 'postgres')), { recursive: true, force: true })
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return client
}

/** Processor time in seconds that a process has used so far, with its living and reaped children when asked. Linux alone. */
export function cpuSeconds(pid: number, withChildren = false): number {
  let ticks = 0
  for (const each of withChildren ? familyOf(pid) : [pid]) {
    const fields = statOf(each)
    if (fields)
      ticks += Number(fields[11]) + Number(fields[12]) + (withChildren ? Number(fields[13]) + Number(fields[14]) : 0)
  }
  return ticks / 100
}

/** Resident memory of a process in MB. Linux alone. */
export function residentMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

function familyOf(pid: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    const fields = /^\d+$/.test(name) ? statOf(Number(name)) : undefined
    if (fields) parents.set(Number(name), Number(fields[1]))
  }
  const family = [pid]
  for (const member of family) for (const [child, parent] of parents) if (parent === member) family.push(child)
  return family
}

/** The fields of /proc/PID/stat from the third on; undefined when the process is gone. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

/** The value below which a share of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN
}

export const median = (values: readonly number[]) => quantile(values, 0.5)

/** A step of a long run, told on the error stream so that the output stays the result. */
export const progress = (text: string) => process.stderr.write(`  ${text}\n`)

export function report(name: string, { rows, verdicts }: BenchResult): void {
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GB`
  console.log(`\n${name} · ${new Date().toISOString().slice(0, 10)} · ${machine} · Node ${process.version}`)
  console.table(rows)
  for (const { what, value, atLeast, atMost } of verdicts) {
    const asked = atLeast !== undefined ? `asked: ≥ ${atLeast}` : atMost !== undefined ? `asked: ≤ ${atMost}` : ''
    const held = (atLeast === undefined || value >= atLeast) && (atMost === undefined || value <= atMost)
    console.log(`  ${held ? '✓' : '✗'} ${what}: ${Number(value.toPrecision(3))}   ${asked}`)
  }
  console.log(JSON.stringify({ bench: name, date: new Date().toISOString(), machine, rows, verdicts }))
}
