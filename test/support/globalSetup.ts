// One PostgreSQL for the whole run, with databases that are ready made: each test file gets a clone of one.
import { chmodSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { pino } from 'pino'
import type { TestProject } from 'vitest/node'
import { startCluster } from '../../server/db/embedded/cluster.ts'
import { placeCluster } from '../../server/db/embedded/place.ts'
import { findPostmaster, stopPostmaster } from '../../server/db/embedded/postmaster.ts'
import { prepareDatabase } from '../../server/db/prepare.ts'

const projectDir = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const prefix = 'lookout-test-'
const log = pino({ level: 'warn' })

declare module 'vitest' {
  export interface ProvidedContext {
    projectDir: string
    /** The connection string of the run's PostgreSQL, up to the database's name. */
    clusterUrl: string
    /** Why the database with engine and views could not be made; empty when it could. */
    sqlFault: string
  }
}

export async function setup(project: TestProject) {
  await sweep()
  const given = process.env.TEST_DATABASE_URL
  const cluster = given === undefined ? await startEmbedded() : useGiven(given)
  const client = new pg.Client({ connectionString: cluster.url('postgres') })
  client.on('error', () => {})
  try {
    await client.connect()
    for (const name of ['lookout_tables', 'lookout_full']) await client.query(`drop database if exists ${name}`)
    await client.query('create database lookout_tables')
    await prepareDatabase(log, { url: cluster.url('lookout_tables'), projectDir, withSql: false })
    await client.query('create database lookout_full template lookout_tables')
    // Tests of the client need no database: a fault here is told by the tests that do.
    const fault = await prepareDatabase(log, { url: cluster.url('lookout_full'), projectDir }).catch(
      (error: Error) => error,
    )
    project.provide('sqlFault', fault?.message ?? '')
  } catch (error) {
    await cluster.close()
    throw error
  } finally {
    await client.end()
  }
  project.provide('projectDir', projectDir)
  project.provide('clusterUrl', cluster.url(''))
  return () => cluster.close()
}

interface TestCluster {
  url(database: string): string
  close(): Promise<void>
}

async function startEmbedded(): Promise<TestCluster> {
  const dataDir = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`))
  chmodSync(dataDir, 0o755)
  const cluster = await startCluster(log, { clusterDir: placeCluster(dataDir, log), durable: false })
  return {
    url: cluster.url,
    async close() {
      await cluster.close()
      remove(dataDir)
    },
  }
}

/** Another PostgreSQL than the embedded one, of which the tests may make and drop databases. */
function useGiven(given: string): TestCluster {
  return { url: (database) => new URL(`/${database}`, given).href, close: () => Promise.resolve() }
}

/** What runs that were killed left. */
async function sweep(): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1])
    if (!pid || isAlive(pid)) continue
    const dataDir = join(tmpdir(), name)
    const clusterDir = join(dataDir, 'postgres')
    const postmaster = findPostmaster(clusterDir)
    if (postmaster) await stopPostmaster(realpathSync(clusterDir), postmaster.pid, 3_000)
    remove(dataDir)
  }
}

/** The cluster may be elsewhere, with a link from its place. */
function remove(dataDir: string): void {
  try {
    rmSync(realpathSync(join(dataDir, 'postgres')), { recursive: true, force: true })
  } catch {
    // It was never made.
  }
  rmSync(dataDir, { recursive: true, force: true })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
