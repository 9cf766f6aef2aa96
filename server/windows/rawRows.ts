// What no aggregate holds is read from raw events, but only where that is quick: the rows are counted first, in the
// aggregate of all events, and a window too large is refused with the length that would do.
import type { ClientBase } from 'pg'
import { LookoutError } from '../errors.ts'
import { LEVELS } from '../metrics/levels.ts'
import { isoDuration } from '../metrics/spans.ts'
import { alignDown, type Range } from './time.ts'

interface RowsOfMinute {
  /** Milliseconds. */
  bucket: number
  events: number
}

async function readRowsByMinute(client: ClientBase, range: Range): Promise<RowsOfMinute[]> {
  const { rows } = await client.query<RowsOfMinute>(
    `select (extract(epoch from bucket) * 1000)::float8 as bucket, events::float8 as events
     from metrics.events_1m
     where dimension = 'ALL' and bucket >= $1 and bucket < $2
     order by bucket desc`,
    [new Date(alignDown(range.from, LEVELS[1]!.widthMs)), new Date(range.to)],
  )
  return rows
}

/** @throws LookoutError BAD_REQUEST where a range holds more than `rowsMax` raw events. */
export async function checkRawEvents(
  client: ClientBase,
  range: Range,
  { rowsMax, spans, stepMs, what }: { rowsMax: number; spans: number; stepMs: number; what: string },
): Promise<void> {
  let rows = 0
  for (const { bucket, events } of await readRowsByMinute(client, range)) {
    rows += events
    if (rows <= rowsMax) continue
    // Up to and without this minute there are few enough; a window comes with the one before it.
    const enoughMs = (range.to - bucket - LEVELS[1]!.widthMs) / spans
    const windowMs = Math.floor(enoughMs / stepMs) * stepMs
    throw new LookoutError(
      'BAD_REQUEST',
      `${what} is answered from single events, up to ${rowsMax} of them, and this window holds more; ` +
        (windowMs > 0
          ? `a window of ${isoDuration(windowMs)} would do.`
          : 'not even one bucket would do at this rate.'),
      { rowsMax, ...(windowMs > 0 ? { window: isoDuration(windowMs) } : {}) },
    )
  }
}
