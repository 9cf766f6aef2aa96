// Checks what is asked of a window and puts it in one form, so that equal questions share one computation.
import { createHash } from 'node:crypto'
import { LookoutError } from '../errors.ts'
import { type Dimension, entryOf, type Metric, type MetricEntry } from '../metrics/catalogue.ts'
import { isoDuration, SECOND_MS } from '../metrics/spans.ts'
import type { WindowLimits } from './limits.ts'
import { defaultBucketMs } from './time.ts'
import type { Filter, WindowArguments } from './types.ts'

/** What to slice by: the part of the arguments that windows and time series share. */
export interface Slices {
  metrics: readonly MetricEntry[]
  by: Dimension | null
  top: number
  /** One a dimension, in order; keys in order. */
  filters: readonly { dimension: Dimension; keys: readonly string[] }[]
}

export interface Asked extends Slices {
  windowMs: number
  bucketMs: number
  /** Equal for equal questions. */
  hash: string
}

const refuse = (message: string, extensions: Record<string, unknown> = {}): never => {
  throw new LookoutError('BAD_REQUEST', message, extensions)
}

export function checkSlices(
  asked: { metrics: Metric[]; by?: Dimension | null; top: number; filter: Filter[] },
  limits: WindowLimits,
): Slices {
  const { metrics, by = null, top } = asked
  if (metrics.length === 0 || metrics.length > limits.metricsMax) {
    refuse(`metrics must name 1 to ${limits.metricsMax} metrics; got ${metrics.length}.`)
  }
  if (!Number.isInteger(top) || top < 1 || top > limits.topMax) {
    refuse(`top must be a whole number from 1 to ${limits.topMax}; got ${top}.`)
  }
  const filters = joinFilters(asked.filter)
  const keys = filters.reduce((sum, filter) => sum + filter.keys.length, 0)
  if (keys > limits.filterKeysMax) refuse(`filter may name ${limits.filterKeysMax} keys; got ${keys}.`)
  const entries = metrics.map(entryOf)
  const dimensions = [...(by ? [by] : []), ...filters.map((filter) => filter.dimension)]
  for (const entry of entries) for (const dimension of dimensions) checkDimension(entry, dimension)
  return { metrics: entries, by, top, filters }
}

function checkDimension(entry: MetricEntry, dimension: Dimension): void {
  if (entry.dimensions.includes(dimension)) return
  const has = entry.dimensions.length > 0 ? `it has ${entry.dimensions.join(', ')}` : 'it has none'
  refuse(`${entry.metric} does not have the dimension ${dimension}; ${has}.`, {
    metric: entry.metric,
    dimension,
    dimensions: entry.dimensions,
  })
}

/** Two filters on one dimension keep what both keep. */
function joinFilters(filters: readonly Filter[]): Slices['filters'] {
  const joined = new Map<Dimension, string[]>()
  for (const filter of filters) {
    const before = joined.get(filter.dimension)
    const keys = [...new Set(filter.in)]
    joined.set(filter.dimension, before ? before.filter((key) => keys.includes(key)) : keys)
  }
  return [...joined]
    .map(([dimension, keys]) => ({ dimension, keys: keys.sort() }))
    .sort((a, b) => (a.dimension < b.dimension ? -1 : 1))
}

export function checkBucket(bucketMs: number): void {
  if (!Number.isInteger(bucketMs) || bucketMs < SECOND_MS || bucketMs % SECOND_MS !== 0) {
    refuse(`bucket must be a whole number of seconds, from PT1S; got ${isoDuration(bucketMs)}.`)
  }
}

/** @throws LookoutError BAD_REQUEST that says what would do. */
export function checkWindow(asked: WindowArguments, limits: WindowLimits): Asked {
  const { windowMs } = asked
  const bucketMs = asked.bucketMs ?? defaultBucketMs(windowMs)
  checkBucket(bucketMs)
  if (!Number.isInteger(windowMs) || windowMs < bucketMs || windowMs % bucketMs !== 0) {
    refuse(`window must be a multiple of its bucket, ${isoDuration(bucketMs)}; got ${isoDuration(windowMs)}.`)
  }
  if (windowMs / bucketMs > limits.bucketsMax) {
    const least = Math.ceil(windowMs / limits.bucketsMax / SECOND_MS) * SECOND_MS
    refuse(
      `A window may have ${limits.bucketsMax} buckets, and ${isoDuration(windowMs)} by ${isoDuration(bucketMs)} has ` +
        `${windowMs / bucketMs}; a bucket from ${isoDuration(least)} would do.`,
    )
  }
  const slices = checkSlices(asked, limits)
  const form = [
    slices.metrics.map((entry) => entry.metric),
    windowMs,
    bucketMs,
    slices.by,
    slices.by ? slices.top : 0,
    slices.filters,
  ]
  const hash = createHash('sha256').update(JSON.stringify(form)).digest('base64url').slice(0, 16)
  return { ...slices, windowMs, bucketMs, hash }
}

export function checkEvery(everyMs: number, limits: WindowLimits): void {
  if (Number.isInteger(everyMs) && everyMs >= limits.everyMsMin && everyMs <= limits.everyMsMax) return
  refuse(
    `every must be from ${isoDuration(limits.everyMsMin)} to ${isoDuration(limits.everyMsMax)}; ` +
      `got ${isoDuration(everyMs)}.`,
  )
}
