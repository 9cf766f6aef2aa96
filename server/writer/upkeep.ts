// What the writer forgets, now and then: idempotency keys past their time, and event ids too old to be sent again.
import type pg from 'pg'
import { IDEMPOTENCY_KEY_HOURS } from './idempotency.ts'

/** Rows a statement deletes, so that no upkeep holds a group up for long; the rest goes after the next group. */
const DELETE_ROWS_MAX = 20_000

// An hour after their time: no transaction that found a key still held finds it gone when it reads the answer.
const DELETE_IDEMPOTENCY_KEYS = `
  delete from public.idempotency_keys where ctid = any (array(
    select ctid from public.idempotency_keys
    where created_at < now() - make_interval(hours => $1::int + 1) limit $2 for update skip locked))`

// An event of that time would be answered TOO_OLD, so its key has nothing left to guard; a day is kept to spare.
const DELETE_EVENT_KEYS = `
  delete from public.event_keys where ctid = any (array(
    select ctid from public.event_keys
    where created_at < now() - make_interval(days => $1::int + 2) limit $2 for update skip locked))`

/** Deletes what is past its time; answers whether more of it may be left. `rawRetentionDays`: how long raw events are kept. */
export async function runUpkeep(client: pg.ClientBase, rawRetentionDays: number): Promise<boolean> {
  const calls = await client.query(DELETE_IDEMPOTENCY_KEYS, [IDEMPOTENCY_KEY_HOURS, DELETE_ROWS_MAX])
  const events = await client.query(DELETE_EVENT_KEYS, [rawRetentionDays, DELETE_ROWS_MAX])
  return [calls, events].some(({ rowCount }) => rowCount === DELETE_ROWS_MAX)
}
