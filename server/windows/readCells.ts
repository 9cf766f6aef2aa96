// Reads a part by bucket, and by key where asked: one row each, for what holds rows.
import type { ClientBase } from 'pg'
import { LookoutError } from '../errors.ts'
import type { Level } from '../metrics/levels.ts'
import type { Slices } from './asked.ts'
import type { Part } from './plan.ts'
import { measureColumns, type Scope, sliceOf } from './slice.ts'
import type { Range } from './time.ts'

export interface Cell {
  /** Start of the bucket, milliseconds. */
  bucket: number
  /** '' where keys are not told apart. */
  key: string
  /** In the order of the part's measures. */
  values: number[]
}

/** How rows fall into buckets: of one width from Monday 2000-01-03, or of a zone's local time. */
export interface Grid {
  bucketMs: number
  timeZone: string | null
}

const bucketExpression = ({ timeZone }: Grid) =>
  timeZone === null
    ? `date_bin($3::interval, bucket, timestamptz '2000-01-03 00:00:00+00')`
    : `cagg.time_bucket($3::interval, bucket, timezone => $4::text)`

/** @throws LookoutError BAD_REQUEST where more than `cellsMax` cells hold rows. */
export async function readCells(
  client: ClientBase,
  part: Part,
  level: Level,
  slices: Slices,
  scope: Scope,
  range: Range,
  grid: Grid,
  cellsMax: number,
): Promise<Cell[]> {
  const given = [new Date(range.from), new Date(range.to), `${grid.bucketMs} milliseconds`]
  if (grid.timeZone !== null) given.push(grid.timeZone)
  const slice = sliceOf(part, slices, scope, given.length + 1)
  const bucket = bucketExpression(grid)
  const { rows } = await client.query<[number, string, ...(number | null)[]]>({
    rowMode: 'array',
    text: `
      select (extract(epoch from ${bucket}) * 1000)::float8, ${slice.key}, ${measureColumns(part)}
      from ${slice.from(level)}
      where bucket >= $1 and bucket < $2 ${slice.conditions}
      group by ${bucket}, 2
      limit ${cellsMax + 1}`,
    values: [...given, ...slice.values],
  })
  if (rows.length > cellsMax) {
    throw new LookoutError(
      'BAD_REQUEST',
      `This window holds more than ${cellsMax} buckets and keys; a shorter window, wider buckets or a filter would do.`,
      { cellsMax },
    )
  }
  return rows.map(([start, key, ...values]) => ({ bucket: start, key, values: values.map((value) => value ?? 0) }))
}
