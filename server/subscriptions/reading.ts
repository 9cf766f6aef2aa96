// How a feed reads: what changed between two snapshots, and what a returning client missed.
import type { Changes } from '../changes/changes.ts'
import type { ReadPlace } from './cursor.ts'
import type { RowsDelta } from './slot.ts'
import { isLater } from './snapshot.ts'
import type { RowSource, Span, StreamRow } from './source.ts'
import { spansOf } from './spans.ts'

export interface ReadingLimits {
  /** Rows a delta may hold; where more changed, the whole state is sent instead. */
  deltaRowsMax: number
  /** Stretches of time a delta is read from; more are read as fewer, longer ones. */
  spansMax: number
}

/**
 * What became of the rows within the spans between two snapshots: versions that `upTo` shows and `since` did not, and the
 * keys of `known` rows that are there no longer.
 */
export async function readDelta<Row extends StreamRow>(
  source: RowSource<Row>,
  known: ReadonlyMap<string, Row>,
  spans: Span[],
  { since, upTo }: { since: string; upTo: string },
  { deltaRowsMax }: ReadingLimits,
): Promise<RowsDelta<Row> | 'too many'> {
  if (spans.length === 0) return { items: [], removed: [] }
  const [items, keys] = await Promise.all([
    source.changed(spans, since, upTo, deltaRowsMax),
    source.keys?.(spans, deltaRowsMax),
  ])
  if (items.length > deltaRowsMax || (keys && keys.length > deltaRowsMax)) return 'too many'
  const removed: string[] = []
  if (keys) {
    const here = new Set(keys)
    const isIn = (at: Date) => spans.some(({ first, past }) => at >= first && at < past)
    for (const { id, createdAt } of known.values()) if (!here.has(id) && isIn(createdAt)) removed.push(id)
  }
  return { items, removed }
}

/** What a client that stood at `from` missed of a feed that stands at `here`; null where that cannot be told. */
export async function readMissed<Row extends StreamRow>(
  { source, changes }: { source: RowSource<Row>; changes: Pick<Changes, 'since' | 'deletedSince'> },
  from: ReadPlace,
  here: ReadPlace,
  { deltaRowsMax, spansMax }: ReadingLimits,
): Promise<RowsDelta<Row> | null> {
  // A place that this database has not come to is one of its past, from before it was restored.
  if (from.epoch !== here.epoch || isLater(from.snapshot, here.snapshot)) return null
  const missed = await changes.since(from.log)
  if (missed === 'expired') return null
  const removed: string[] = []
  if (source.keys) {
    // Which rows a client holds is known by what is there; of those that are there no longer nobody knows.
    if (await changes.deletedSince(source.view, from.log)) return null
    const left = { first: from.windowStart, past: here.windowStart }
    if (left.first < left.past) removed.push(...(await source.keys([left], deltaRowsMax)))
    if (removed.length > deltaRowsMax) return null
  }
  const spans = spansOf(missed.changes, source, here.windowStart, spansMax)
  if (spans.length === 0) return { items: [], removed }
  const items = await source.changed(spans, from.snapshotText, here.snapshotText, deltaRowsMax)
  if (items.length > deltaRowsMax) return null
  return { items: items.filter(({ createdAt }) => createdAt >= here.windowStart), removed }
}
