// Brings a database up to this version: tables by migration, functions and views by running them again. One process at a time.
import type { Logger } from 'pino'
import { withClient } from './client.ts'
import { installSql } from './install.ts'
import { openMigrations } from './migrations.ts'

const prepareLock = 7_105_002

export interface PrepareOptions {
  url: string
  projectDir: string
  /** Raw rows of partitioned tables older than this are dropped. */
  rawRetentionDays?: number
  /** false: tables alone, without engine and views. */
  withSql?: boolean
}

export async function prepareDatabase(log: Logger, options: PrepareOptions): Promise<void> {
  const { url, projectDir, rawRetentionDays = 30, withSql = true } = options
  await withClient(url, async (client) => {
    await client.query('select pg_advisory_lock($1)', [prepareLock])
    const migrations = await openMigrations(projectDir, url)
    const applied = await migrations.apply().finally(() => migrations.close())
    if (applied.length > 0) log.info({ applied }, 'migrations applied')
    if (withSql) await installSql(log, client, { url, projectDir, rawRetentionDays })
  })
}
