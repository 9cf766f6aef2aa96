// Upkeep of the database while the server runs: partitions of the next days, and what retention lets go.
import type { Logger } from 'pino'
import type { Database } from './database.ts'
import { runUpkeep } from './install.ts'

/** Without an answer by then its connection is given up. */
const takesMsMax = 600_000

export interface Upkeep {
  close(): Promise<void>
}

export function makeUpkeep(
  { database, log }: { database: Pick<Database, 'connect'>; log: Logger },
  { intervalMs }: { intervalMs: number },
): Upkeep {
  let running: Promise<void> | undefined
  /** It may take longer than what else is asked of a database: on a connection of its own. */
  async function run(): Promise<void> {
    const client = await database.connect({ queryTimeoutMs: takesMsMax })
    try {
      await runUpkeep(client)
    } finally {
      void client.end().catch(() => undefined)
    }
  }
  const timer = setInterval(() => {
    running ??= run()
      .catch((error: unknown) => log.warn({ err: error }, 'upkeep failed; it is tried again'))
      .finally(() => (running = undefined))
  }, intervalMs)
  return {
    async close() {
      clearInterval(timer)
      await running
    },
  }
}
