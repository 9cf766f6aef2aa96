// Reads distinct counts over a whole stretch of time, from as few buckets as make it up: days inside, hours, minutes and
// seconds at its edges.
import type { ClientBase } from 'pg'
import { type Level, LEVELS } from '../metrics/levels.ts'
import type { Slices } from './asked.ts'
import { type Part, reaches } from './plan.ts'
import { measureColumns, type Scope, sliceOf } from './slice.ts'
import { alignDown, alignUp, type Range } from './time.ts'

interface Piece extends Range {
  level: Level
}

/** The pieces of a range, coarse ones first; their order does not matter. */
export function coverRange(range: Range, levels: readonly Level[] = LEVELS): Piece[] {
  const level = levels.at(-1)
  if (!level || range.from >= range.to) return []
  const finer = levels.slice(0, -1)
  const from = alignUp(range.from, level.widthMs)
  const to = alignDown(range.to, level.widthMs)
  if (from >= to) return coverRange(range, finer)
  return [
    { level, from, to },
    ...coverRange({ from: range.from, to: from }, finer),
    ...coverRange({ from: to, to: range.to }, finer),
  ]
}

/** Counts by key ('' where keys are not told apart), for what holds rows; null where a piece is no longer kept. */
export async function readCounts(
  client: ClientBase,
  part: Part,
  slices: Slices,
  scope: Scope,
  range: Range,
  nowMs: number,
): Promise<Map<string, number[]> | null> {
  const pieces = part.relation.layout === 'raw' ? [{ ...range, level: LEVELS[0]! }] : coverRange(range)
  if (part.relation.layout !== 'raw' && pieces.some(({ level, from }) => !reaches(level, from, nowMs))) return null
  if (pieces.length === 0) return new Map()
  const slice = sliceOf(part, slices, scope, pieces.length * 2 + 1)
  const selects = pieces.map(
    ({ level }, index) => `
      select ${slice.key} as piece_key, ${part.measures.join(', ')}
      from ${slice.from(level)}
      where bucket >= $${index * 2 + 1} and bucket < $${index * 2 + 2} ${slice.conditions}`,
  )
  const { rows } = await client.query<[string, ...number[]]>({
    rowMode: 'array',
    text: `
      select piece_key, ${measureColumns(part)}
      from (${selects.join(' union all ')}) as pieces
      group by piece_key`,
    values: [...pieces.flatMap(({ from, to }) => [new Date(from), new Date(to)]), ...slice.values],
  })
  return new Map(rows.map(([key, ...values]) => [key, values]))
}
