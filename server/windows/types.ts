// What the windows room is asked and what it answers.
import type { Dimension, Metric } from '../metrics/catalogue.ts'
import type { Stream } from '../outlet.ts'

export interface Filter {
  dimension: Dimension
  /** The keys to keep; none keeps nothing. */
  in: string[]
}

export interface WindowArguments {
  /** One at least, each once; values come in this order. */
  metrics: Metric[]
  windowMs: number
  /** Width of a point; default by the window's length. */
  bucketMs?: number
  by?: Dimension
  /** Keys told apart with `by`, the largest; the rest is one. */
  top: number
  filter: Filter[]
}

export interface MetricTotal {
  metric: Metric
  value: number | null
  /** Over the window just before; null also where that is no longer kept. */
  previous: number | null
}

export interface Point {
  bucket: Date
  /** With `by`: the key, or null for the rest beyond `top`. */
  key: string | null
  values: (number | null)[]
}

export interface BreakdownRow {
  key: string | null
  /** The rest beyond `top`. */
  other: boolean
  values: (number | null)[]
}

/** One message of a stream of windowed metrics. Messages are shared between subscribers: read only. */
export interface MetricsUpdate {
  kind: 'SNAPSHOT' | 'DELTA'
  cursor: string
  previousCursor: string | null
  windowStart: Date
  windowEnd: Date
  committedAt: Date | null
  totals: MetricTotal[]
  points: Point[]
  breakdown: BreakdownRow[]
}

export type Gapfill = 'NONE' | 'NULL' | 'ZERO' | 'LOCF' | 'LINEAR'

export interface TimeSeriesArguments {
  metrics: Metric[]
  /** Aligned down to the bucket. */
  from: Date
  /** Aligned up to the bucket; not in it. */
  to: Date
  bucketMs: number
  /** IANA name; buckets are of its local time. */
  timeZone: string
  by?: Dimension
  top: number
  filter: Filter[]
  gapfill: Gapfill
}

export interface FunnelStep {
  step: string
  sessions: number
  /** Of the first step's sessions; null where there are none. */
  share: number | null
}

export interface WindowsStats {
  /** Distinct windows computed now. */
  windows: number
  subscribers: number
}

export interface Windows {
  /** The window that ends now, or at `at`. Errors: BAD_REQUEST for arguments, UNAVAILABLE without a database. */
  snapshot(asked: WindowArguments, at?: Date): Promise<MetricsUpdate>
  /**
   * A snapshot, then a delta whenever something changed, at most once per `everyMs`. Throws BAD_REQUEST for arguments and
   * for an `after` that is no cursor; what only the database can tell (a window too large for raw rows) comes from next().
   */
  subscribe(asked: WindowArguments & { everyMs: number }, after?: string): Stream<MetricsUpdate>
  timeSeries(asked: TimeSeriesArguments): Promise<Point[]>
  /** Distinct sessions that went through the steps in order within the last `windowMs`. */
  funnel(steps: string[], windowMs: number): Promise<FunnelStep[]>
  stats(): WindowsStats
  close(): Promise<void>
}
