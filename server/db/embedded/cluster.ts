// The embedded PostgreSQL: one cluster in one folder, started and stopped with this process, and held by one process at a time.
import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { Logger } from 'pino'
import { StartError } from '../startError.ts'
import { type Account, findAccount } from './account.ts'
import { findBinaries } from './binaries.ts'
import { initialise, readPassword, superuser } from './initialise.ts'
import { choosePort } from './port.ts'
import { findPostmaster, stopPostmaster } from './postmaster.ts'
import { settingFlags } from './settings.ts'

const startWithinMs = 60_000
const stopWithinMs = 1_800
const pollMs = 25
const linesKept = 20
const holderLock = 7_105_001

export interface ClusterOptions {
  /** Where the cluster lives; its parent folder exists. */
  clusterDir: string
  /** The port to listen on; without it a free one is chosen. */
  port?: number
  /** false: nothing is forced to disk, for tests. */
  durable?: boolean
  /** Called when PostgreSQL ends though nobody asked it to. */
  onLost?: (error: Error) => void
}

export interface Cluster {
  port: number
  /** The connection string of one of its databases. */
  url(database: string): string
  /** Stops PostgreSQL, cutting open connections off. */
  close(): Promise<void>
}

/**
 * Starts PostgreSQL on `clusterDir`, which is made when missing. A postmaster left over from a killed process is stopped first.
 * @throws StartError when another live process holds the cluster, or PostgreSQL does not start.
 */
export async function startCluster(log: Logger, options: ClusterOptions): Promise<Cluster> {
  const { clusterDir, durable = true } = options
  const account = findAccount(clusterDir)
  const binaries = findBinaries(account, log)
  const password = await initialise(binaries.initdb, clusterDir, account, durable)
  const urlAt = (port: number, database: string) => connectionString(password, port, database)

  const deadline = Date.now() + startWithinMs
  let reason = ''
  while (Date.now() < deadline) {
    const leftOver = findPostmaster(clusterDir)
    if (leftOver) {
      const holder = await hold(urlAt(leftOver.port, 'postgres'), clusterDir).catch(passing)
      if (holder) {
        log.warn({ pid: leftOver.pid }, 'a PostgreSQL that outlived its server is stopped first')
        await stopPostmaster(clusterDir, leftOver.pid, stopWithinMs)
        await holder.end().catch(() => {})
      } else await delay(pollMs)
      continue
    }
    const port = await choosePort(clusterDir, options.port)
    const postmaster = launch(binaries.postgres, account, ['-D', clusterDir, ...settingFlags(port, durable)], log)
    const holder = await ready(postmaster, urlAt(port, 'postgres'), clusterDir, deadline)
    if (holder) return running(postmaster, holder, port)
    reason = postmaster.lines.join(' ')
    await delay(pollMs * 10) // The next look finds what stood in the way: another start, or the last breath of an old one.
  }
  throw new StartError(`PostgreSQL did not start in ${clusterDir} within ${startWithinMs / 1000} s. ${reason}`.trim())

  function running(postmaster: Launched, holder: pg.Client, port: number): Cluster {
    let closing = false
    const { child } = postmaster
    child.on('exit', (code, signal) => {
      if (closing) return
      options.onLost?.(
        new Error(`PostgreSQL ended by itself (${signal ?? code}): ${postmaster.lines.slice(-3).join(' ')}`),
      )
    })
    return {
      port,
      url: (database) => urlAt(port, database),
      async close() {
        if (closing) return
        closing = true
        await holder.end().catch(() => {})
        if (child.exitCode !== null || child.signalCode !== null) return
        const exited = new Promise((resolve) => child.once('exit', resolve))
        await stopPostmaster(clusterDir, child.pid ?? 0, stopWithinMs)
        await exited
      },
    }
  }
}

const connectionString = (password: string, port: number, database: string) =>
  `postgresql://${superuser}:${password}@127.0.0.1:${port}/${database}`

/** The connection string of a database of the cluster that runs on `clusterDir`; nothing where none runs. */
export function findCluster(clusterDir: string, database: string): string | undefined {
  const postmaster = findPostmaster(clusterDir)
  return postmaster && connectionString(readPassword(clusterDir), postmaster.port, database)
}

interface Launched {
  child: ChildProcess
  /** The last lines that it said. */
  lines: string[]
}

/** In a process group of its own: Ctrl-C at the terminal reaches this process alone, which then stops PostgreSQL in turn. */
function launch(postgres: string, account: Account, args: string[], log: Logger): Launched {
  const child = spawn(postgres, args, {
    ...account,
    cwd: '/',
    detached: true,
    env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  // However this process ends, short of being killed: no PostgreSQL stays behind.
  const end = () => child.kill('SIGQUIT')
  process.once('exit', end)
  child.once('exit', () => process.off('exit', end))
  const lines: string[] = []
  child.on('error', (error) => lines.push(error.message))
  child.stderr.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString().trimEnd().split('\n')) {
      lines.push(line)
      log.debug({ postgres: line }, 'PostgreSQL says')
    }
    lines.splice(0, lines.length - linesKept)
  })
  return { child, lines }
}

/** The holder's connection once PostgreSQL takes connections; nothing when it ended instead. */
async function ready(
  launched: Launched,
  url: string,
  clusterDir: string,
  deadline: number,
): Promise<pg.Client | undefined> {
  const { child } = launched
  while (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    const holder = await hold(url, clusterDir).catch(passing)
    if (holder) return holder
    if (Date.now() > deadline) child.kill('SIGQUIT')
    await delay(pollMs)
  }
  return undefined
}

/** One process holds the cluster: by a lock of its session, so it cannot outlive the process however that ends. */
async function hold(url: string, clusterDir: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'lookout holder' })
  client.on('error', () => {})
  await client.connect()
  const { rows } = await client.query<{ held: boolean }>('select pg_try_advisory_lock($1) as held', [holderLock])
  if (rows[0]?.held) return client
  await client.end()
  throw new StartError(
    `Another Lookout runs on the data in ${clusterDir}: stop it, or set LOOKOUT_DATA_DIR to another folder for this one.`,
  )
}

/** Not yet up, or about to end: worth another look. Anything else is for the caller. */
function passing(error: unknown): undefined {
  if (error instanceof StartError) throw error
  return undefined
}
