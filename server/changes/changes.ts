// Follows the change log and tells, in commit order, which buckets of which views changed. What it tells is a hint for when to
// look: the table is the truth, and whoever must miss nothing asks it with a cursor of their own.
import type pg from 'pg'
import type { Logger } from 'pino'
import type { Database } from '../db/index.ts'
import { type ChangeSet, changesSince, type Look } from './changesSince.ts'
import { makeRecent } from './recent.ts'
import { makeLag } from './lag.ts'

export { type Change, type ChangeSet, changesSince, newestCommit } from './changesSince.ts'

const deletedSince = 'select cagg.deleted_since($1, $2) as deleted'

/** What listeners get: `gap` says that the log was trimmed while we were away, and anything may have changed. */
export interface ChangeNotice extends ChangeSet {
  gap: boolean
}

export interface Changes {
  /** Where the follower stands. */
  cursor(): string
  /** Something was committed here: look soon instead of at the next poll. Pokes in quick succession are one look. */
  poke(): void
  /** Calls back for every set of changes; answers how to end that. */
  subscribe(listener: (notice: ChangeNotice) => void): () => void
  /** All changes after a cursor, up to now; `views` narrows them. Throws BAD_REQUEST for what is no cursor. */
  since(cursor: string, views?: string[]): Promise<ChangeSet | 'expired'>
  /** Whether rows of a view's source were deleted, or moved in time, after a cursor that has not expired: no trace says which. */
  deletedSince(view: string, cursor: string): Promise<boolean>
  /** The newest commit seen here that changed buckets in [from, to) of these views; null: none. Milliseconds. */
  newest(views: readonly string[], fromMs: number, toMs: number): Date | null
  /** From writing until seen here, median of the last 256 of the last minute, in milliseconds; null: there were none. */
  lagMs(): number | null
  /** How long ago all that was committed was known here, in milliseconds: it grows while the change log cannot be read. */
  behindMs(): number
  close(): Promise<void>
}

export interface ChangesOptions {
  pollIntervalMs: number
  /** Least time between two looks. */
  pokeIntervalMs: number
  /** First wait after a lost connection; each failure doubles it. */
  retryIntervalMs: number
  retryIntervalMsMax: number
  /** A look that takes longer is given up, its connection with it: that may be one whose other end is gone without a word. */
  lookTimeoutMs: number
  lagSamplesMax: number
  /** Samples older than this say nothing of now. */
  lagAgeMsMax: number
  /** Changes of a view that `newest` looks at. */
  recentChangesMax: number
}

export const CHANGES_OPTIONS: ChangesOptions = {
  pollIntervalMs: 200,
  pokeIntervalMs: 20,
  retryIntervalMs: 100,
  retryIntervalMsMax: 5_000,
  lookTimeoutMs: 10_000,
  lagSamplesMax: 256,
  lagAgeMsMax: 60_000,
  recentChangesMax: 64,
}

/** Starts following from now. */
export async function makeChanges(
  { database, log }: { database: Pick<Database, 'pool' | 'connect'>; log: Logger },
  options: Partial<ChangesOptions> = {},
): Promise<Changes> {
  const limits = { ...CHANGES_OPTIONS, ...options }
  const listeners = new Set<(notice: ChangeNotice) => void>()
  const lag = makeLag(limits.lagSamplesMax, limits.lagAgeMsMax)
  const recent = makeRecent(limits.recentChangesMax)
  const connect = () => database.connect({ queryTimeoutMs: limits.lookTimeoutMs })
  let client: pg.Client | undefined = await connect()
  let cursor = await startNow(client)
  let knewAt = performance.now()
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> | undefined
  let lookedAt = 0
  let poked = false
  let failures = 0
  let closed = false

  async function startNow(from: pg.Client): Promise<string> {
    const look = await changesSince(from, null)
    if (look === 'expired') throw new Error('the change log says that now has expired')
    return look.cursor
  }

  async function look(): Promise<void> {
    client ??= await connect()
    const seen = await changesSince(client, cursor)
    if (seen === 'expired') {
      log.warn('the change log was trimmed while it could not be read; every window is read again')
      cursor = await startNow(client)
      tell({ cursor, committedAt: null, changes: [], gap: true })
      return
    }
    cursor = seen.cursor
    if (seen.changes.length === 0) return
    measure(seen)
    recent.add(seen.changes)
    tell({ cursor, committedAt: seen.committedAt, changes: seen.changes, gap: false })
  }

  function measure(seen: Look): void {
    for (const { committedAt } of seen.changes.slice(-limits.lagSamplesMax)) {
      lag.add(seen.seenAt.getTime() - committedAt.getTime())
    }
  }

  function tell(notice: ChangeNotice): void {
    for (const listener of [...listeners]) {
      try {
        listener(notice)
      } catch (error) {
        log.error({ err: error }, 'a listener to changes failed')
      }
    }
  }

  async function lookOnce(): Promise<void> {
    poked = false
    lookedAt = performance.now()
    try {
      await look()
      knewAt = lookedAt
      failures = 0
    } catch (error) {
      failures++
      log.warn({ err: error, failures }, 'the change log could not be read; trying again')
      const broken = client
      client = undefined
      await broken?.end().catch(() => undefined)
    }
  }

  function plan(): void {
    if (closed || looking) return
    clearTimeout(timer)
    const retryMs = Math.min(limits.retryIntervalMs * 2 ** (failures - 1), limits.retryIntervalMsMax)
    const waitMs = failures > 0 ? retryMs : poked ? limits.pokeIntervalMs : limits.pollIntervalMs
    const dueMs = Math.max(0, lookedAt + waitMs - performance.now())
    timer = setTimeout(() => {
      looking = lookOnce().finally(() => {
        looking = undefined
        plan()
      })
    }, dueMs)
  }

  plan()

  return {
    cursor: () => cursor,
    poke() {
      if (poked) return
      poked = true
      if (failures === 0) plan()
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    since: (from, views) => changesSince(database.pool, from, views),
    async deletedSince(view, from) {
      const { rows } = await database.pool.query<{ deleted: boolean }>(deletedSince, [view, from])
      return rows[0]!.deleted
    },
    newest: (views, fromMs, toMs) => recent.newest(views, fromMs, toMs),
    lagMs: () => lag.medianMs(),
    behindMs: () => performance.now() - knewAt,
    async close() {
      closed = true
      clearTimeout(timer)
      listeners.clear()
      await looking
      const last = client
      client = undefined
      await last?.end().catch(() => undefined)
    },
  }
}
