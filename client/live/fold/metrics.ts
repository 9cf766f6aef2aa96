// Windowed metrics, folded: a snapshot replaces, a delta puts its buckets in and lets the old ones go.
import type { Metric, MetricsSubscription } from '../../api/generated/documents.ts'
import { follows, GAP } from './chain.ts'

export interface Total {
  value: number | null
  previous: number | null
}

/** Never changed in place: a held view may go on showing an older one. */
export interface MetricsFrame {
  cursor: string
  windowStartMs: number
  windowEndMs: number
  committedAtMs: number | null
  totals: ReadonlyMap<Metric, Total>
  /** Start of the bucket in ms → values in the order of the metrics asked for. Buckets without rows are not named. */
  points: ReadonlyMap<number, readonly (number | null)[]>
}

const ms = (text: string) => Date.parse(text)

export function foldMetrics(
  frame: MetricsFrame | undefined,
  { metrics: update }: MetricsSubscription,
): MetricsFrame | typeof GAP {
  if (!follows(frame?.cursor, update)) return GAP
  const windowStartMs = ms(update.windowStart)
  const points = new Map(update.kind === 'DELTA' ? frame?.points : undefined)
  for (const point of update.points) points.set(ms(point.bucket), point.values)
  for (const bucket of points.keys()) if (bucket < windowStartMs) points.delete(bucket)
  return {
    cursor: update.cursor,
    windowStartMs,
    windowEndMs: ms(update.windowEnd),
    committedAtMs: update.committedAt ? ms(update.committedAt) : null,
    totals: new Map(update.totals.map(({ metric, value, previous }) => [metric, { value, previous }])),
    points,
  }
}
