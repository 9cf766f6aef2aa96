// One reading of how the server does, put together from the steps of the flow.
import type { Changes } from '../changes/changes.ts'
import type { Database } from '../db/index.ts'
import type { Stats } from '../schema/context.ts'
import type { Windows } from '../windows/types.ts'
import type { Writer } from '../writer/writer.ts'

/** Walking over all relations for their size is not for every second. */
const SIZE_EVERY_MS = 10_000

/** `subscribers` counts the streams that the windows room does not know of. */
export function makeStatsReader(dependencies: {
  database: Pick<Database, 'pool' | 'version'>
  writer: Pick<Writer, 'stats'>
  changes: Pick<Changes, 'lagMs'>
  windows: Pick<Windows, 'stats'>
  subscribers: () => number
}): () => Promise<Stats> {
  const { database, writer, changes, windows, subscribers } = dependencies
  const startedAt = new Date()
  let databaseBytes = 0
  let sizedAtMs = Number.NEGATIVE_INFINITY
  let sizing: Promise<void> | undefined

  async function size(): Promise<void> {
    const { rows } = await database.pool.query<{ bytes: number }>(
      'select pg_database_size(current_database())::float8 as bytes',
    )
    databaseBytes = rows[0]?.bytes ?? databaseBytes
    sizedAtMs = performance.now()
  }

  return async () => {
    if (performance.now() - sizedAtMs > SIZE_EVERY_MS) {
      await (sizing ??= size().finally(() => (sizing = undefined)))
    }
    const at = new Date()
    const { windows: windowCount, subscribers: windowSubscribers } = windows.stats()
    const { rowsAccepted, rowsDuplicate, rowsRejected, rowsPerSecond, queueRows, queueRowsMax, commitLatencyMs } =
      writer.stats()
    return {
      at,
      startedAt,
      uptimeSeconds: (at.getTime() - startedAt.getTime()) / 1000,
      rowsAccepted,
      rowsDuplicate,
      rowsRejected,
      rowsPerSecond,
      queueRows,
      queueRowsMax,
      commitLatencyMs,
      streamLagMs: changes.lagMs(),
      subscribers: windowSubscribers + subscribers(),
      windows: windowCount,
      memoryBytes: process.memoryUsage.rss(),
      databaseBytes,
      databaseVersion: database.version,
    }
  }
}
