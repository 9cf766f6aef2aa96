// The part of a statement that varies with the slices asked for: where from, which rows, which key. Names come from the
// catalogue alone; what callers send goes in as parameters.
import type { Relation } from '../metrics/families.ts'
import type { Level } from '../metrics/levels.ts'
import type { Slices } from './asked.ts'
import type { Part } from './plan.ts'

/** What is read together: everything; each key of `by`; or everything beyond some of its keys. */
export type Scope = 'all' | 'keys' | { except: readonly string[] }

export interface Slice {
  from(level: Level): string
  /** Expression of a row's key; where rows are not told apart, no key. */
  key: string
  /** `and …` for every condition. */
  conditions: string
  values: unknown[]
}

/** Its parameters start at `$firstParameter`. */
export function sliceOf(part: Part, slices: Slices, scope: Scope, firstParameter: number): Slice {
  const { relation } = part
  const by = scope === 'all' ? null : slices.by
  const values: unknown[] = []
  const parameter = (value: unknown) => `$${firstParameter + values.push(value) - 1}`
  const columnOf = (dimension: keyof Relation['columns']) =>
    relation.layout === 'long' ? 'key' : relation.columns[dimension]!
  const conditions: string[] = []
  if (relation.layout === 'long') {
    conditions.push(`dimension = ${parameter(by ?? slices.filters[0]?.dimension ?? 'ALL')}`)
  }
  for (const { dimension, keys } of slices.filters) {
    conditions.push(`${columnOf(dimension)} = any(${parameter(keys)}::text[])`)
  }
  if (by && typeof scope === 'object') conditions.push(`${columnOf(by)} <> all(${parameter(scope.except)}::text[])`)
  return {
    from: (level) => (relation.layout === 'raw' ? `(${relation.select}) as raw` : `${relation.view}_${level.name}`),
    key: by && scope === 'keys' ? columnOf(by) : `''`,
    conditions: conditions.map((condition) => `and ${condition}`).join(' '),
    values,
  }
}

/** The measures of a part as columns of floats: whole numbers, money in cents, exact up to 2^53. */
export function measureColumns({ family, relation, measures }: Part): string {
  return measures
    .map((name) => {
      const kind = family.measures[name]!.kind
      if (kind === 'money') return `(sum(${name}) * 100)::float8`
      if (kind === 'count') return `sum(${name})::float8`
      return relation.layout === 'raw'
        ? `count(distinct ${name})::float8`
        : `cagg.distinct_count(cagg.rollup(${name}))::float8`
    })
    .join(', ')
}
