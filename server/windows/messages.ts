// The messages of a stream: the whole window, or what changed in it; and two that were not sent in time made one.
import { allPoints, pointsOf, wholePoints } from './points.ts'
import type { Plan } from './plan.ts'
import type { MetricsUpdate, Point } from './types.ts'
import type { ChangedCells, WindowState } from './windowState.ts'

export interface MessageContext {
  plan: Plan
  bucketMs: number
  state: WindowState
}

type Head = Pick<MetricsUpdate, 'cursor' | 'previousCursor' | 'committedAt'>

const viewOf = ({ plan, bucketMs, state }: MessageContext) => ({
  plan,
  bucketMs,
  numbers: state.numbers(),
  summary: state.summary(),
})

function frame({ state }: MessageContext, head: Head): Omit<MetricsUpdate, 'kind' | 'points'> {
  const { from, to } = state.bounds()
  const { totals, breakdown } = state.summary()
  return { ...head, windowStart: new Date(from), windowEnd: new Date(to), totals, breakdown }
}

export const makeSnapshot = (context: MessageContext, head: Omit<Head, 'previousCursor'>): MetricsUpdate => ({
  kind: 'SNAPSHOT',
  ...frame(context, { ...head, previousCursor: null }),
  points: allPoints(viewOf(context), context.state.bounds()),
})

export const makeDelta = (context: MessageContext, head: Head, changed: ChangedCells): MetricsUpdate => ({
  kind: 'DELTA',
  ...frame(context, head),
  points: pointsOf(viewOf(context), context.state.bounds(), changed),
})

/**
 * For a client that comes back: `stale` are buckets that changed meanwhile, sent whole with explicit nothings where it
 * may know of rows that are gone; `entered` is where the buckets begin that it never saw.
 */
export function makeResume(
  context: MessageContext,
  head: Head,
  stale: ReadonlySet<number>,
  entered: number,
): MetricsUpdate {
  const { to } = context.state.bounds()
  const bounds = context.state.bounds()
  const points = [
    ...wholePoints(viewOf(context), { from: bounds.from, to: Math.min(entered, to) }, stale),
    ...(entered < to ? allPoints(viewOf(context), { from: Math.max(entered, bounds.from), to }) : []),
  ]
  return { kind: 'DELTA', ...frame(context, head), points }
}

const pointId = ({ bucket, key }: Point): string => `${bucket.getTime()} ${key === null ? '' : `=${key}`}`

/** A delta that waits, and the one that came after it. */
export function mergeDeltas(first: MetricsUpdate, second: MetricsUpdate): MetricsUpdate {
  const points = new Map<string, Point>()
  for (const point of first.points) if (point.bucket >= second.windowStart) points.set(pointId(point), point)
  for (const point of second.points) points.set(pointId(point), point)
  const [a, b] = [first.committedAt, second.committedAt]
  return {
    ...second,
    previousCursor: first.previousCursor,
    committedAt: a && b ? (a > b ? a : b) : (a ?? b),
    points: [...points.values()].sort((left, right) => left.bucket.getTime() - right.bucket.getTime()),
  }
}
