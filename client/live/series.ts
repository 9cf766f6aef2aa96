// From buckets that hold rows to a series of fixed length: 0 where nothing happened, null where nothing is defined.
import type { MetricKind } from '../api/generated/documents.ts'
import type { MetricsFrame } from './fold/metrics.ts'

export interface Span {
  bucketMs: number
  /** Number of buckets; the last one is the current, unfinished bucket. */
  length: number
  nowMs: number
}

export interface Series {
  /** Start of each bucket. */
  startsMs: number[]
  values: (number | null)[]
}

/** The end of the bucket that `nowMs` lies in; buckets are aligned to the epoch (UTC). */
export const bucketEnd = (nowMs: number, bucketMs: number): number => (Math.floor(nowMs / bucketMs) + 1) * bucketMs

/**
 * Values of metric number `index` over `span`. The stream is silent while nothing happens, so the page's own clock moves
 * the window on: that is what shows zeros in a quiet minute.
 */
export function readSeries(frame: MetricsFrame, index: number, kind: MetricKind, span: Span): Series {
  const endMs = Math.max(frame.windowEndMs, bucketEnd(span.nowMs, span.bucketMs))
  const empty = kind === 'RATIO' ? null : 0
  const startsMs = Array.from({ length: span.length }, (_, i) => endMs - (span.length - i) * span.bucketMs)
  return { startsMs, values: startsMs.map((start) => frame.points.get(start)?.[index] ?? empty) }
}

/**
 * The mean of every `step` buckets, in steps that stand on the clock, so that the shape moves on and does not flicker; steps
 * that are not whole, the unfinished one among them, are left out.
 */
export function thin({ startsMs, values }: Series, step: number): number[] {
  const stepMs = ((startsMs[1] ?? 0) - (startsMs[0] ?? 0)) * step
  const means: number[] = []
  for (let at = startsMs.findIndex((start) => start % stepMs === 0); at >= 0 && at + step < values.length; at += step)
    means.push(values.slice(at, at + step).reduce<number>((sum, value) => sum + (value ?? 0), 0) / step)
  return means
}
