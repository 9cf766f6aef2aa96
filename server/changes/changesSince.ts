// One look at the change log: what was committed since a cursor, and the cursor to go on from.
import type pg from 'pg'
import { LookoutError } from '../errors.ts'

/** A stretch of one view whose buckets changed; both ends are starts of buckets and belong to it. */
export interface Change {
  view: string
  firstBucket: Date
  lastBucket: Date
  /** The newest commit that changed it, on the database's clock. */
  committedAt: Date
}

export interface ChangeSet {
  /** Where to go on from. */
  cursor: string
  /** When the newest of the changes was committed. */
  committedAt: Date | null
  changes: Change[]
}

/** One look: a change set, and the database's own time, to hold its commits against. */
export interface Look extends ChangeSet {
  seenAt: Date
}

/** The newest commit among changes; null: there are none. */
export function newestCommit(changes: readonly Change[]): Date | null {
  let newest: Date | null = null
  for (const { committedAt } of changes) if (!newest || committedAt > newest) newest = committedAt
  return newest
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
  new_cursor: string | null
  seen_at: Date
}

type ChangeRow = Row & { view_name: string; committed_at: Date }

const statement = {
  name: 'lookout_changes',
  text: `
    select view_name, first_bucket, last_bucket, committed_at, new_cursor, clock_timestamp() as seen_at
    from cagg.changes_since($1)
    where view_name is null or $2::text[] is null or view_name = any($2)`,
}

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
    const { rows } = await client.query<Row>({ ...statement, values: [cursor, views] })
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
  if (!end?.new_cursor) throw new Error('cagg.changes_since answered without a cursor')
  const changes = rows
    .filter((row): row is ChangeRow => row.view_name !== null)
    .map((row) => ({
      view: row.view_name,
      firstBucket: readBucket(row.first_bucket, BEGINNING),
      lastBucket: readBucket(row.last_bucket, END),
      committedAt: row.committed_at,
    }))
  return { cursor: end.new_cursor, committedAt: newestCommit(changes), changes, seenAt: end.seen_at }
}
