// /health: the process answers. /ready: so does what it stands on.
import type { Services } from '../schema/context.ts'

const DATABASE_MS_MAX = 2_000
/** Beyond this streams are so far behind that a reader is better off elsewhere. */
const BEHIND_MS_MAX = 10_000

export interface Readiness {
  ready: boolean
  database: 'ok' | 'out of reach'
  /** Whether the database has the tables of this version: it may have been put back since the start. */
  migrations: 'ok' | 'missing' | 'unknown'
  /** The writer has connections of its own; they come back by themselves. */
  writer: 'ok' | 'out of reach'
  /** How long ago the change reader knew all that was committed. */
  streamsBehindMs: number
}

const missingMigrations = `
  select count(*)::int as missing from unnest($1::text[]) as wanted (name)
   where not exists (select from public._prisma_migrations
                      where migration_name = wanted.name and finished_at is not null and rolled_back_at is null)`

/** `migrations`: the names of those that the database is to have. */
export async function readReadiness(
  { database, ingest, changes }: Pick<Services, 'database' | 'ingest' | 'changes'>,
  migrations: readonly string[],
): Promise<Readiness> {
  const timeout = new Promise<undefined>((resolve) => setTimeout(resolve, DATABASE_MS_MAX, undefined).unref())
  const answered = database.pool.query<{ missing: number }>(missingMigrations, [migrations]).then(
    ({ rows }) => rows[0]?.missing,
    // Without its table there is none of them; all else is a database out of reach.
    ({ code }: { code?: string }) => (code === '42P01' ? migrations.length : undefined),
  )
  const missing = await Promise.race([answered, timeout])
  const reachable = missing !== undefined
  const writable = ingest.ready()
  const streamsBehindMs = Math.round(changes.behindMs())
  return {
    ready: missing === 0 && writable && streamsBehindMs <= BEHIND_MS_MAX,
    database: reachable ? 'ok' : 'out of reach',
    migrations: !reachable ? 'unknown' : missing === 0 ? 'ok' : 'missing',
    writer: writable ? 'ok' : 'out of reach',
    streamsBehindMs,
  }
}
