// Events: COPY for all; ids that callers gave go through event_keys first, because an event's own key leads with its time.
import type pg from 'pg'
import type { Part } from '../call.ts'
import { copyBytes, copyStatement, plainArray } from '../copy.ts'

/** The order of a line's fields: the check writes lines in it. */
export const EVENT_COLUMNS = [
  'id',
  'created_at',
  'event_type',
  'user_id',
  'session_id',
  'sequence_number',
  'country',
  'state',
  'city',
  'postal_code',
  'ip_address',
  'browser',
  'traffic_source',
  'uri',
  'amount',
  'properties',
] as const

const COPY_EVENTS = copyStatement('events', EVENT_COLUMNS)

/** A line whose id the caller gave, and where it lies in the text, in bytes. */
export interface KeyedLine {
  id: string
  createdAt: string
  start: number
  end: number
}

export interface EventRows {
  /** COPY lines. */
  text: Buffer
  lineCount: number
  /** In the order of their lines. */
  keyed: KeyedLine[]
}

// Sorted, so that two transactions with the same ids wait for each other instead of dead-locking.
const CLAIM_KEYS = `
  insert into public.event_keys (id, created_at)
  select id, created_at from unnest($1::uuid[], $2::timestamptz[]) as given (id, created_at) order by id
  on conflict do nothing
  returning id`

async function claimKeys(client: pg.ClientBase, parts: readonly Part<EventRows>[]): Promise<Set<string>> {
  const given = new Map<string, string>()
  for (const { rows } of parts) {
    for (const { id, createdAt } of rows.keyed) if (!given.has(id)) given.set(id, createdAt)
  }
  if (given.size === 0) return new Set()
  const claimed = await client.query<[string]>({
    name: 'writer event keys',
    text: CLAIM_KEYS,
    values: [plainArray(given.keys()), plainArray(given.values())],
    rowMode: 'array',
  })
  return new Set(claimed.rows.map(([id]) => id))
}

export async function writeEvents(client: pg.ClientBase, parts: readonly Part<EventRows>[]): Promise<void> {
  const fresh = await claimKeys(client, parts)
  const chunks: Buffer[] = []
  for (const { rows, result } of parts) {
    let from = 0
    for (const { id, start, end } of rows.keyed) {
      // The first line of an id takes it; the others are cut out.
      if (fresh.delete(id)) continue
      result.duplicates += 1
      chunks.push(rows.text.subarray(from, start))
      from = end
    }
    chunks.push(rows.text.subarray(from))
    result.accepted = rows.lineCount - result.duplicates
  }
  await copyBytes(client, COPY_EVENTS, chunks)
}
