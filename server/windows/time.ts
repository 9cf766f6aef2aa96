// Arithmetic on half-open stretches of time, in milliseconds since 1970, aligned as cagg.time_bucket aligns them.
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../metrics/spans.ts'

/** Monday 2000-01-03, from where buckets are counted. */
const ORIGIN_MS = Date.UTC(2000, 0, 3)

/** [from, to) */
export interface Range {
  from: number
  to: number
}

export const alignDown = (ms: number, widthMs: number): number =>
  Math.floor((ms - ORIGIN_MS) / widthMs) * widthMs + ORIGIN_MS

export const alignUp = (ms: number, widthMs: number): number =>
  Math.ceil((ms - ORIGIN_MS) / widthMs) * widthMs + ORIGIN_MS

/** The end of the bucket that `ms` lies in. */
export const bucketEnd = (ms: number, widthMs: number): number => alignDown(ms, widthMs) + widthMs

/** Width of a window's points where none is asked for. */
export function defaultBucketMs(windowMs: number): number {
  if (windowMs <= 5 * MINUTE_MS) return SECOND_MS
  if (windowMs <= 15 * MINUTE_MS) return 5 * SECOND_MS
  if (windowMs <= HOUR_MS) return 10 * SECOND_MS
  if (windowMs <= DAY_MS) return 5 * MINUTE_MS
  if (windowMs <= 7 * DAY_MS) return HOUR_MS
  return DAY_MS
}

/** What of `range` lies within `bounds`, if anything. */
export function clip(range: Range, bounds: Range): Range | null {
  const from = Math.max(range.from, bounds.from)
  const to = Math.min(range.to, bounds.to)
  return from < to ? { from, to } : null
}

export const overlaps = (left: Range, right: Range): boolean => left.from < right.to && right.from < left.to

/**
 * The same stretches in order, with what touches joined; where more than `rangesMax` are left, those with the least
 * between them are joined too.
 */
export function joinRanges(ranges: readonly Range[], rangesMax: number): Range[] {
  const joined: Range[] = []
  for (const range of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1)
    if (last && range.from <= last.to) last.to = Math.max(last.to, range.to)
    else joined.push({ ...range })
  }
  if (joined.length <= rangesMax) return joined
  const gaps = joined.slice(1).map((range, index) => range.from - joined[index]!.to)
  const kept = new Set(
    gaps
      .map((gap, index) => ({ gap, index }))
      .sort((a, b) => b.gap - a.gap)
      .slice(0, rangesMax - 1)
      .map(({ index }) => index),
  )
  const few: Range[] = [{ ...joined[0]! }]
  joined.slice(1).forEach((range, index) => {
    if (kept.has(index)) few.push({ ...range })
    else few.at(-1)!.to = range.to
  })
  return few
}

/** The starts of the buckets of a range whose ends are aligned. */
export function* bucketsOf(range: Range, widthMs: number): Generator<number> {
  for (let bucket = range.from; bucket < range.to; bucket += widthMs) yield bucket
}
