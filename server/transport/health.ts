// /health: the process answers. /ready: so does what it stands on.
import type { Services } from '../schema/context.ts'

const DATABASE_MS_MAX = 2_000
/** Beyond this the streams lag behind so far that a reader is better off elsewhere. */
const LAG_MS_MAX = 10_000

export interface Readiness {
  ready: boolean
  database: 'ok' | 'out of reach'
  /** The writer has connections of its own; they come back by themselves. */
  writer: 'ok' | 'out of reach'
  /** From commit until seen by the change reader; null before the first. */
  streamLagMs: number | null
}

export async function readReadiness({
  database,
  ingest,
  changes,
}: Pick<Services, 'database' | 'ingest' | 'changes'>): Promise<Readiness> {
  const timeout = new Promise<false>((resolve) => setTimeout(() => resolve(false), DATABASE_MS_MAX).unref())
  const answered = database.pool.query('select 1').then(
    () => true,
    () => false,
  )
  const reachable = await Promise.race([answered, timeout])
  const writable = ingest.ready()
  const streamLagMs = changes.lagMs()
  return {
    ready: reachable && writable && (streamLagMs ?? 0) <= LAG_MS_MAX,
    database: reachable ? 'ok' : 'out of reach',
    writer: writable ? 'ok' : 'out of reach',
    streamLagMs,
  }
}
