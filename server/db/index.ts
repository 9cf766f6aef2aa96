// The database: embedded or given, up to date, and open.
import type { Logger } from 'pino'
import { type Database, openConnections } from './database.ts'
import { checkServer, makeMissingDatabase } from './check.ts'
import { type Cluster, startCluster } from './embedded/cluster.ts'
import { placeCluster } from './embedded/place.ts'
import { prepareDatabase } from './prepare.ts'

export type { Database } from './database.ts'
export { StartError } from './startError.ts'

const databaseName = 'lookout'

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

/**
 * Starts the embedded PostgreSQL unless the configuration names another; migrates and installs the SQL.
 * `onLost` is called when the embedded PostgreSQL ends by itself.
 * @throws StartError, one sentence that says what to do, when the surroundings are at fault.
 */
export async function openDatabase(
  config: DatabaseConfig,
  log: Logger,
  onLost?: (error: Error) => void,
): Promise<Database> {
  const cluster = config.databaseUrl === undefined ? await startEmbedded(config, log, onLost) : undefined
  const url = cluster?.url(databaseName) ?? config.databaseUrl ?? ''
  try {
    await checkServer(url)
    await prepareDatabase(log, { url, projectDir: config.projectDir, rawRetentionDays: config.rawRetentionDays })
    return await openConnections(log, {
      url,
      poolMax: config.poolMax,
      afterwards: () => cluster?.close() ?? Promise.resolve(),
    })
  } catch (error) {
    await cluster?.close()
    throw error
  }
}

async function startEmbedded(config: DatabaseConfig, log: Logger, onLost?: (error: Error) => void): Promise<Cluster> {
  const clusterDir = placeCluster(config.dataDir, log)
  const cluster = await startCluster(log, { clusterDir, port: config.pgPort, onLost })
  try {
    await makeMissingDatabase(cluster.url('postgres'), databaseName)
    return cluster
  } catch (error) {
    await cluster.close()
    throw error
  }
}
