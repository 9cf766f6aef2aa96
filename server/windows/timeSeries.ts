// History: the same numbers as a window's, over any length, in any zone's buckets, with its gaps filled as asked.
import type { ClientBase } from 'pg'
import { LookoutError } from '../errors.ts'
import { type Level, LEVELS } from '../metrics/levels.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../metrics/spans.ts'
import { checkBucket, checkSlices } from './asked.ts'
import { fillGaps, type Series } from './gapfill.ts'
import type { WindowLimits } from './limits.ts'
import { levelFor, makePlan, type Part, type Plan } from './plan.ts'
import { checkRawEvents } from './rawRows.ts'
import { type Cell, type Grid, readCells } from './readCells.ts'
import { readCounts } from './readCounts.ts'
import type { Reader } from './reader.ts'
import type { Range } from './time.ts'
import type { Point, TimeSeriesArguments } from './types.ts'
import { rank, valueOf } from './values.ts'

/** The starts of the local buckets from the one that holds `from` to the first at or after `to`. */
const bucketsStatement = `
  select distinct (extract(epoch from pg_catalog.timezone($4, local)) * 1000)::float8 as bucket
  from generate_series(
    cagg.time_bucket($3::interval, pg_catalog.timezone($4, $1::timestamptz)),
    pg_catalog.timezone($4, $2::timestamptz) + $3::interval,
    $3::interval
  ) as local
  order by 1
  limit $5`

async function readBuckets(
  client: ClientBase,
  { from, to, bucketMs, timeZone }: TimeSeriesArguments,
  bucketsMax: number,
): Promise<{ buckets: number[]; range: Range }> {
  const { rows } = await client.query<{ bucket: number }>(bucketsStatement, [
    from,
    to,
    `${bucketMs} milliseconds`,
    timeZone,
    bucketsMax + 2,
  ])
  const starts = rows.map((row) => row.bucket)
  const end = starts.findIndex((start) => start >= to.getTime())
  if (end < 0 || end > bucketsMax) {
    throw new LookoutError('BAD_REQUEST', `A time series may have ${bucketsMax} buckets; wider ones would do.`, {
      bucketsMax,
    })
  }
  return { buckets: starts.slice(0, end), range: { from: starts[0]!, to: starts[end]! } }
}

/** What a zone's offsets from UTC are multiples of, over a range: buckets of its local time are made of levels up to that. */
function offsetStepMs(timeZone: string, { from, to }: Range): number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' })
  const offsets = new Set<string>()
  for (let at = from; at < to + 7 * DAY_MS; at += 7 * DAY_MS) {
    offsets.add(format.formatToParts(Math.min(at, to)).find(({ type }) => type === 'timeZoneName')?.value ?? '')
  }
  const steps = [...offsets].map((offset) => {
    if (/^GMT([+-]00:00)?$/.test(offset)) return DAY_MS
    return /:00$/.test(offset) && offset.length === 'GMT+00:00'.length ? HOUR_MS : MINUTE_MS
  })
  return Math.min(DAY_MS, ...steps)
}

function checkTimeZone(timeZone: string): void {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone })
  } catch (error) {
    throw new LookoutError(
      'BAD_REQUEST',
      `timeZone must be an IANA name like "Europe/Berlin"; got "${timeZone}".`,
      {},
      error,
    )
  }
}

interface PartSeries {
  cells: Cell[]
  /** Distinct counts over the whole range, by key; the rest's by bucket. */
  whole: Map<string, number[]> | null
  rest: Cell[]
}

/** @throws LookoutError BAD_REQUEST for arguments beyond the limits or what is kept. */
export async function readTimeSeries(
  asked: TimeSeriesArguments,
  { reader, clock, limits }: { reader: Reader; clock: () => number; limits: WindowLimits },
): Promise<Point[]> {
  const plan = makePlan(checkSlices(asked, limits))
  checkBucket(asked.bucketMs)
  checkTimeZone(asked.timeZone)
  if (asked.from >= asked.to) throw new LookoutError('BAD_REQUEST', 'from must be before to.')
  if ((asked.to.getTime() - asked.from.getTime()) / asked.bucketMs > limits.bucketsMax + 1) {
    throw new LookoutError('BAD_REQUEST', `A time series may have ${limits.bucketsMax} buckets; wider ones would do.`)
  }
  return reader.read(async (client) => {
    const { buckets, range } = await readBuckets(client, asked, limits.bucketsMax)
    const nowMs = clock()
    const stepMs = Math.min(...[asked.bucketMs, offsetStepMs(asked.timeZone, range)])
    const level = levelFor(commonMs(asked.bucketMs, stepMs), range.from, nowMs)
    if (plan.parts.some(({ relation }) => relation.layout === 'raw' && relation.bounded)) {
      await checkRawEvents(client, range, {
        rowsMax: limits.rawRowsMax,
        spans: 1,
        stepMs: asked.bucketMs,
        what: 'This combination of dimensions',
      })
    }
    const grid: Grid = { bucketMs: asked.bucketMs, timeZone: asked.timeZone === 'UTC' ? null : asked.timeZone }
    const series = await readSeries(client, plan, level, range, grid, nowMs, limits)
    return fillGaps(series, buckets, plan, asked.gapfill)
  })
}

/** The widest level's width that divides both. */
const commonMs = (bucketMs: number, stepMs: number): number =>
  LEVELS.findLast(({ widthMs }) => bucketMs % widthMs === 0 && stepMs % widthMs === 0)!.widthMs

async function readSeries(
  client: ClientBase,
  plan: Plan,
  level: Level,
  range: Range,
  grid: Grid,
  nowMs: number,
  limits: WindowLimits,
): Promise<Series[]> {
  const read = (part: Part, scope: Parameters<typeof readCells>[4]) =>
    readCells(client, part, level, plan, scope, range, grid, limits.cellsMax)
  const parts: PartSeries[] = []
  for (const part of plan.parts) {
    const whole = part.distinct && plan.by ? await readCounts(client, part, plan, 'keys', range, nowMs) : null
    parts.push({ cells: await read(part, 'keys'), whole, rest: [] })
  }
  const top = topOf(plan, parts)
  for (const [index, part] of plan.parts.entries()) {
    if (part.distinct && top.rest) parts[index]!.rest = await read(part, { except: top.keys })
  }
  return seriesOf(plan, parts, top)
}

interface Top {
  keys: string[]
  rest: boolean
}

function topOf(plan: Plan, parts: readonly PartSeries[]): Top {
  if (!plan.by) return { keys: [], rest: false }
  const sums = parts.map(({ cells }) => {
    const byKey = new Map<string, number[]>()
    for (const { key, values } of cells) {
      const sum = byKey.get(key)
      byKey.set(key, sum ? sum.map((value, index) => value + values[index]!) : [...values])
    }
    return byKey
  })
  const keys = new Set(sums.flatMap((byKey) => [...byKey.keys()]))
  const ranked = rank(keys, (key) => valueOf(plan.formulas[0]!, (part) => (parts[part]!.whole ?? sums[part]!).get(key)))
  return { keys: ranked.slice(0, plan.top), rest: ranked.length > plan.top }
}

/** One series a key told apart, and one for the rest; without `by` one. */
function seriesOf(plan: Plan, parts: readonly PartSeries[], top: Top): Series[] {
  const told = new Set(top.keys)
  const keys = plan.by ? [...top.keys, ...(top.rest ? [null] : [])] : [null]
  const series = new Map(keys.map((key): [string | null, Series] => [key, { key, measures: new Map() }]))
  for (const [part, { cells, rest }] of parts.entries()) {
    const distinct = plan.parts[part]!.distinct
    const own = cells.filter(({ key }) => !plan.by || told.has(key) || !distinct)
    for (const { bucket, key, values } of [...own, ...rest.map((cell) => ({ ...cell, key: null }))]) {
      const of = series.get(plan.by && key !== null && told.has(key) ? key : null)
      if (!of) continue
      const measures = of.measures.get(bucket) ?? []
      of.measures.set(bucket, measures)
      measures[part] = measures[part]?.map((value, index) => value + values[index]!) ?? values
    }
  }
  return [...series.values()]
}
