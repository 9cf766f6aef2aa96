// One look at the change log: what was committed since a cursor, and the cursor to go on from.
import type pg from 'pg'
import { LookoutError } from '../errors.ts'

/** A stretch of one view whose buckets changed; both ends are starts of buckets and belong to it. */
export interface Change {
  view: string
  firstBucket: Date
  lastBucket: Date
}

export interface ChangeSet {
  /** Where to go on from. */
  cursor: string
  /** When the newest of the changes was committed. */
  committedAt: Date | null
  changes: Change[]
}

/** One look: a change set, when each change was committed, and the database's own time, to hold the two together. */
export interface Look extends ChangeSet {
  committed: Date[]
  seenAt: Date
}

/** SQLSTATEs of cagg.changes_since. */
const CURSOR_EXPIRED = 'CA410'
const NO_CURSOR = 'CA400'

/** Beyond every bucket: a change whose ends are open, or not times. */
const BEGINNING = new Date(-8.64e15)
const END = new Date(8.64e15)

const TIMESTAMPTZ = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d{1,3})?)\d*\+00$/

function readBucket(text: string | null, open: Date): Date {
  const match = text === null ? null : TIMESTAMPTZ.exec(text)
  return match ? new Date(`${match[1]}T${match[2]}Z`) : open
}

interface Row {
  view_name: string | null
  first_bucket: string | null
  last_bucket: string | null
  committed_at: Date | null
  cursor: string | null
  seen_at: Date
}

const statement = `
  select view_name, first_bucket, last_bucket, committed_at, cursor, clock_timestamp() as seen_at
  from cagg.changes_since($1)
  where view_name is null or $2::text[] is null or view_name = any($2)`

/**
 * What became visible between the cursor and the snapshot of `client`; null: nothing, from now on. `views` narrows it.
 * Answers 'expired' where the change log no longer reaches back that far; inside a transaction that ends it.
 * @throws LookoutError BAD_REQUEST for text that is no cursor.
 */
export async function changesSince(
  client: pg.Pool | pg.ClientBase,
  cursor: string | null,
  views: string[] | null = null,
): Promise<Look | 'expired'> {
  try {
    const { rows } = await client.query<Row>(statement, [cursor, views])
    return readLook(rows)
  } catch (error) {
    const { code } = error as { code?: string }
    if (code === CURSOR_EXPIRED) return 'expired'
    if (code === NO_CURSOR) throw new LookoutError('BAD_REQUEST', `This is no cursor of a stream: ${cursor}`, {}, error)
    throw error
  }
}

function readLook(rows: Row[]): Look {
  const end = rows.find((row) => row.view_name === null)
  if (!end?.cursor) throw new Error('cagg.changes_since answered without a cursor')
  const changes: Change[] = []
  const committed: Date[] = []
  let committedAt: Date | null = null
  for (const row of rows) {
    if (row.view_name === null) continue
    changes.push({
      view: row.view_name,
      firstBucket: readBucket(row.first_bucket, BEGINNING),
      lastBucket: readBucket(row.last_bucket, END),
    })
    if (!row.committed_at) continue
    committed.push(row.committed_at)
    if (!committedAt || row.committed_at > committedAt) committedAt = row.committed_at
  }
  return { cursor: end.cursor, committedAt, changes, committed, seenAt: end.seen_at }
}
