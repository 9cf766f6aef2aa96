// The database: embedded or given, up to date, and open.
import type { Logger } from 'pino'
import { type Database, openConnections } from './database.ts'
import { checkServer, makeMissingDatabase } from './check.ts'
import { findCluster, startCluster } from './embedded/cluster.ts'
import { placeCluster } from './embedded/place.ts'
import { prepareDatabase } from './prepare.ts'

export type { Database } from './database.ts'
export { migrationNames } from './migrations.ts'
export { StartError } from './startError.ts'

const databaseName = 'lookout'
/** Longer than anything that is asked of it on the pool has for itself. */
const statementTimeoutMs = 30_000

export interface DatabaseConfig {
  /** Where package.json, prisma/ and sql/ are. */
  projectDir: string
  /** Another PostgreSQL to use; without it the embedded one is started. */
  databaseUrl: string | undefined
  dataDir: string
  /** The embedded PostgreSQL's port; without it a free one is chosen. */
  pgPort: number | undefined
  poolMax: number
  rawRetentionDays: number
}

export interface Postgres {
  /** The connection string of Lookout's database. */
  url: string
  close(): Promise<void>
}

/**
 * Starts the embedded PostgreSQL, unless the configuration names another. `onLost` is called when it ends by itself.
 * @throws StartError, one sentence that says what to do, when the surroundings are at fault.
 */
export async function startPostgres(
  config: DatabaseConfig,
  log: Logger,
  onLost?: (error: Error) => void,
): Promise<Postgres> {
  if (config.databaseUrl !== undefined) return { url: config.databaseUrl, close: () => Promise.resolve() }
  const clusterDir = placeCluster(config.dataDir, log)
  const cluster = await startCluster(log, { clusterDir, port: config.pgPort, onLost })
  try {
    await makeMissingDatabase(cluster.url('postgres'), databaseName)
    return { url: cluster.url(databaseName), close: cluster.close }
  } catch (error) {
    await cluster.close()
    throw error
  }
}

/** The same for a command beside a server that may or may not run: what runs is used, and left running. */
export async function joinPostgres(config: DatabaseConfig, log: Logger): Promise<Postgres> {
  const running = config.databaseUrl ?? findCluster(placeCluster(config.dataDir, log), databaseName)
  return running === undefined ? startPostgres(config, log) : { url: running, close: () => Promise.resolve() }
}

/** Brings the tables alone up to this version: enough for a command that does not read the aggregates. */
export async function prepareTables(url: string, { projectDir }: DatabaseConfig, log: Logger): Promise<void> {
  await checkServer(url)
  await prepareDatabase(log, { url, projectDir, withSql: false })
}

/**
 * Brings the database at `url` up to this version, and opens it.
 * @throws StartError as above.
 */
export async function openDatabase(url: string, config: DatabaseConfig, log: Logger): Promise<Database> {
  const { projectDir, rawRetentionDays, poolMax } = config
  await checkServer(url)
  await prepareDatabase(log, { url, projectDir, rawRetentionDays })
  return openConnections(log, { url, poolMax, statementTimeoutMs })
}
