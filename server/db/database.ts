// A database by its connection string: one pool for short statements, and connections of one's own for long work.
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { Logger } from 'pino'

const connectTimeoutMs = 10_000
/** PostgreSQL ends a statement that takes too long; this much later the connection is given up that has not said so. */
const answersWithinMs = 1_000
/** A statement under way holds its connection; it is not waited for any longer. */
const poolEndsWithinMs = 300

export interface Database {
  /** Its connection string. */
  url: string
  /** For short statements: each has its time. */
  pool: pg.Pool
  /**
   * A connection of one's own, for COPY or a long transaction; whoever takes it ends it. `queryTimeoutMs`: a statement that has no
   * answer by then fails.
   */
  connect(options?: { queryTimeoutMs?: number }): Promise<pg.Client>
  /** PostgreSQL's own version, such as "18.4". */
  version: string
  close(): Promise<void>
}

/** Opens `url`; `statementTimeoutMs` is for statements on the pool; `afterwards` runs last when it is closed. */
export async function openConnections(
  log: Logger,
  {
    url,
    poolMax,
    statementTimeoutMs,
    afterwards,
  }: { url: string; poolMax: number; statementTimeoutMs?: number; afterwards?: () => Promise<void> },
): Promise<Database> {
  const config = {
    connectionString: url,
    application_name: 'lookout',
    options: '-c timezone=UTC',
    connectionTimeoutMillis: connectTimeoutMs,
  }
  const pool = new pg.Pool({
    ...config,
    max: poolMax,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs && statementTimeoutMs + answersWithinMs,
  })
  pool.on('error', (error) => log.warn({ err: error }, 'an idle database connection broke'))
  const { rows } = await pool.query<{ version: string }>(
    `select split_part(current_setting('server_version'), ' ', 1) as version`,
  )
  let closed: Promise<void> | undefined

  return {
    url,
    pool,
    version: rows[0]?.version ?? '',
    async connect({ queryTimeoutMs } = {}) {
      const client = new pg.Client({ ...config, query_timeout: queryTimeoutMs })
      client.on('error', (error) => log.warn({ err: error }, 'a database connection broke'))
      await client.connect()
      return client
    },
    close: () => (closed ??= Promise.race([pool.end(), delay(poolEndsWithinMs)]).then(() => afterwards?.())),
  }
}
