// Upkeep of the database while the server runs: partitions of the next days, and what retention lets go.
import type { Logger } from 'pino'
import type { Database } from './database.ts'
import { runUpkeep } from './install.ts'

export interface Upkeep {
  close(): Promise<void>
}

export function makeUpkeep(
  { database, log }: { database: Pick<Database, 'pool'>; log: Logger },
  { intervalMs }: { intervalMs: number },
): Upkeep {
  let running: Promise<void> = Promise.resolve()
  const timer = setInterval(() => {
    running = runUpkeep(database.pool).catch((error: unknown) =>
      log.warn({ err: error }, 'upkeep failed; it is tried again'),
    )
  }, intervalMs)
  return {
    close() {
      clearInterval(timer)
      return running
    },
  }
}
