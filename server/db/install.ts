// Installs the SQL that a start holds the database to: the engine (sql/cagg) by file name, then the views (sql/views) after what
// they read. What is as it was the last time is left alone.
import type pg from 'pg'
import type { Logger } from 'pino'
import { inTransaction } from './client.ts'
import { readInstalled, rememberFile } from './installed.ts'
import { digestOf, readEngine, readViews, runFile } from './sqlFiles.ts'
import { installViews } from './views.ts'

const addRetention = `
  select cagg.add_retention_policy(partrelid::regclass::text, make_interval(days => $1))
    from pg_partitioned_table join pg_class on pg_class.oid = partrelid
   where relnamespace = 'public'::regnamespace
     and not exists (
       select from cagg._policies
        where to_regclass(relation) = partrelid and drop_after = make_interval(days => $1))`

export interface InstallOptions {
  /** For the second connection that fills what is built. */
  url: string
  projectDir: string
  /** Raw rows of partitioned tables are kept so long. */
  rawRetentionDays: number
}

export async function installSql(log: Logger, client: pg.Client, options: InstallOptions): Promise<void> {
  const { url, projectDir, rawRetentionDays } = options
  const installed = await readInstalled(client)
  const engine = readEngine(projectDir)
  const digest = digestOf(engine)
  if (installed.get('cagg')?.digest !== digest) {
    await inTransaction(client, async () => {
      for (const file of engine) await runFile(client, file)
      await rememberFile(client, 'cagg', digest, [])
    })
    log.info('engine installed')
  }
  await installViews(log, client, { url, installed, files: readViews(projectDir) })
  await client.query(addRetention, [rawRetentionDays])
  await runUpkeep(client)
}

/** Makes day partitions ahead and drops what the retention policies let go. */
export async function runUpkeep(client: pg.Client): Promise<void> {
  await client.query('select cagg.run_maintenance()')
}
