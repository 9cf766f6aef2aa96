// How the server does, put together from what each step tells of itself.
import type { Changes } from './changes/changes.ts'
import type { Database } from './db/index.ts'
import type { Stats } from './schema/context.ts'
import type { Writer } from './writer/writer.ts'

export interface StatsDependencies {
  database: Pick<Database, 'pool' | 'version'>
  writer: Pick<Writer, 'stats'>
  changes: Pick<Changes, 'lagMs'>
  /** Live subscriptions, and the distinct windows computed for them. */
  audience: () => { subscribers: number; windows: number }
  clock?: () => Date
}

/** The size on disk is looked up at most once per `sizeEveryMs`: it asks the file system for every file of the database. */
export function makeStats(
  { database, writer, changes, audience, clock = () => new Date() }: StatsDependencies,
  { sizeEveryMs }: { sizeEveryMs: number } = { sizeEveryMs: 10_000 },
): () => Promise<Stats> {
  const startedAt = clock()
  let size: { at: number; bytes: Promise<number> } | undefined

  async function readSize(): Promise<number> {
    const { rows } = await database.pool.query<{ bytes: string }>(
      'select pg_database_size(current_database()) as bytes',
    )
    return Number(rows[0]?.bytes)
  }

  function databaseBytes(at: number): Promise<number> {
    if (size && at - size.at < sizeEveryMs) return size.bytes
    const bytes = readSize()
    bytes.catch(() => (size = undefined))
    size = { at, bytes }
    return bytes
  }

  return async () => {
    const at = clock()
    const { rowsAccepted, rowsDuplicate, rowsRejected, rowsPerSecond, ...rest } = writer.stats()
    return {
      at,
      startedAt,
      uptimeSeconds: (at.getTime() - startedAt.getTime()) / 1000,
      rowsAccepted,
      rowsDuplicate,
      rowsRejected,
      rowsPerSecond,
      queueRows: rest.queueRows,
      queueRowsMax: rest.queueRowsMax,
      commitLatencyMs: rest.commitLatencyMs,
      streamLagMs: changes.lagMs(),
      ...audience(),
      memoryBytes: process.memoryUsage.rss(),
      databaseBytes: await databaseBytes(at.getTime()),
      databaseVersion: database.version,
    }
  }
}
