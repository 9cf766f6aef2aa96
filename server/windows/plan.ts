// From what is asked to what is read: which relation of which family answers each metric, and at which level.
import { LookoutError } from '../errors.ts'
import { type Family, readTerm, type Relation, type Term } from '../metrics/families.ts'
import { type Level, LEVELS } from '../metrics/levels.ts'
import type { Dimension, Metric } from '../metrics/catalogue.ts'
import { isoDuration } from '../metrics/spans.ts'
import type { Slices } from './asked.ts'

/** One family, read one way. */
export interface Part {
  family: Family
  relation: Relation
  measures: readonly string[]
  /** Its measures are counts of distinct values: they do not add up, and are read for every scope of their own. */
  distinct: boolean
}

/** A measure by the places of its part and of itself in it. */
interface Place {
  part: number
  measure: number
}

/** A metric as arithmetic on parts. */
export interface Formula {
  metric: Metric
  over: readonly Place[]
  under: readonly Place[] | null
  /** What the upper sum is divided by: 100 where it is in cents. */
  unit: number
  trailingMs: number | null
}

export interface Plan extends Slices {
  parts: readonly Part[]
  formulas: readonly Formula[]
}

const dimensionsOf = ({ by, filters }: Slices): Set<Dimension> =>
  new Set([...(by ? [by] : []), ...filters.map((filter) => filter.dimension)])

function relationFor(family: Family, dimensions: Set<Dimension>): Relation {
  const relation = family.relations.find(
    ({ layout, columns }) =>
      (layout !== 'long' || dimensions.size <= 1) && [...dimensions].every((dimension) => dimension in columns),
  )
  if (relation) return relation
  throw new LookoutError('BAD_REQUEST', `${[...dimensions].join(' and ')} cannot be combined.`)
}

export function makePlan(slices: Slices): Plan {
  const dimensions = dimensionsOf(slices)
  const parts: { family: Family; relation: Relation; measures: string[]; distinct: boolean }[] = []

  function place(term: Term): Place {
    const { family, measure } = readTerm(term)
    let part = parts.findIndex((candidate) => candidate.family === family)
    if (part < 0) {
      const distinct = family.measures[measure]?.kind === 'distinct'
      part = parts.push({ family, relation: relationFor(family, dimensions), measures: [], distinct }) - 1
    }
    const { measures } = parts[part]!
    const index = measures.indexOf(measure)
    return { part, measure: index < 0 ? measures.push(measure) - 1 : index }
  }

  const formulas = slices.metrics.map((entry): Formula => {
    const { family, measure } = readTerm(entry.over[0]!)
    return {
      metric: entry.metric,
      over: entry.over.map(place),
      under: entry.under?.map(place) ?? null,
      unit: family.measures[measure]?.kind === 'money' ? 100 : 1,
      trailingMs: entry.trailingMs ?? null,
    }
  })
  return { ...slices, parts, formulas }
}

/** The name under which the change log knows a part. */
export const viewOf = (part: Part, level: Level): string => `${part.relation.view}_${level.name}`

/** Whether a level still holds buckets from `fromMs` on. */
export const reaches = (level: Level, fromMs: number, nowMs: number): boolean => nowMs - fromMs <= level.keepMs

/**
 * The coarsest level whose buckets make up buckets of this width and that reaches back far enough.
 * @throws LookoutError BAD_REQUEST that names a width which does.
 */
export function levelFor(bucketMs: number, fromMs: number, nowMs: number): Level {
  const dividing = LEVELS.filter((level) => bucketMs % level.widthMs === 0)
  const kept = dividing.findLast((level) => reaches(level, fromMs, nowMs))
  if (kept) return kept
  const reaching = LEVELS.find((level) => reaches(level, fromMs, nowMs))!
  throw new LookoutError(
    'BAD_REQUEST',
    `Buckets of ${isoDuration(bucketMs)} are kept for ${isoDuration(dividing.at(-1)!.keepMs)}, and this reaches back ` +
      `further; ask for buckets of ${isoDuration(reaching.widthMs)} or a multiple.`,
  )
}
