// The map: the steps of the flow, opened from top to bottom and closed in reverse.
import { ConfigError, type Config, readConfig } from './config.ts'
import { openDatabase, StartError } from './db/index.ts'
import { makeUpkeep } from './db/upkeep.ts'
import { runUntilStopped, type Steps } from './lifecycle.ts'
import { makeLog } from './log.ts'
import type { Logger } from 'pino'

async function start(config: Config, log: Logger, steps: Steps): Promise<void> {
  const database = await steps.open(openDatabase(config, log, steps.lost))
  await steps.open(makeUpkeep({ database, log }, { intervalMs: 60_000 }))
  process.stdout.write(`Database    ${database.url}\n`)
}

async function main(): Promise<number> {
  const config = readConfig()
  const log = makeLog(config.logLevel, process.stderr.isTTY)
  return runUntilStopped(log, (steps) => start(config, log, steps))
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    const known = error instanceof ConfigError || error instanceof StartError
    process.stderr.write(`${known ? error.message : ((error as Error).stack ?? String(error))}\n`)
    process.exit(1)
  },
)
