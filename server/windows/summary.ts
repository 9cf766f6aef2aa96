// What is complete in every message: totals, and with `by` the largest keys and the rest.
import { createHash } from 'node:crypto'
import type { Formula, Plan } from './plan.ts'
import type { BreakdownRow, MetricTotal } from './types.ts'
import { rank, valueOf } from './values.ts'
import type { PartNumbers } from './windowState.ts'

export interface Summary {
  totals: MetricTotal[]
  breakdown: BreakdownRow[]
  /** The keys told apart, largest first. */
  top: readonly string[]
  /** Whether there are keys beyond them. */
  rest: boolean
  /** Equal where the same keys are told apart, in whatever order. */
  topHash: string
}

/** `previousKnown`: whether the window before is still kept, by part. */
export function summarise(plan: Plan, numbers: readonly PartNumbers[], previousKnown: readonly boolean[]): Summary {
  const spanOf = (part: number, formula: Formula) => numbers[part]!.counts?.span(formula.trailingMs)

  const totals = plan.formulas.map((formula): MetricTotal => ({
    metric: formula.metric,
    value: valueOf(formula, (part) => {
      const span = spanOf(part, formula)
      return span ? span.now : numbers[part]!.cells.total()
    }),
    previous: valueOf(formula, (part) => {
      const span = spanOf(part, formula)
      if (span) return span.previous
      return previousKnown[part] ? numbers[part]!.cells.previous() : null
    }),
  }))
  if (!plan.by) return { totals, breakdown: [], top: [], rest: false, topHash: '' }

  const valueOfKey = (formula: Formula, key: string) =>
    valueOf(formula, (part) => {
      const span = spanOf(part, formula)
      return span ? span.keys.get(key) : numbers[part]!.cells.keys().get(key)?.values
    })
  const keys = new Set<string>()
  for (const [part, { cells, counts }] of numbers.entries()) {
    for (const key of cells.keys().keys()) keys.add(key)
    if (!counts) continue
    for (const formula of plan.formulas) {
      for (const [key, values] of spanOf(part, formula)!.keys) if (values.some((value) => value > 0)) keys.add(key)
    }
  }
  const ranked = rank(keys, (key) => valueOfKey(plan.formulas[0]!, key))
  const top = ranked.slice(0, plan.top)
  const rest = ranked.length > top.length
  const breakdown = top.map((key): BreakdownRow => ({
    key,
    other: false,
    values: plan.formulas.map((formula) => valueOfKey(formula, key)),
  }))
  if (rest) {
    const restOf = numbers.map(({ cells }) =>
      withoutKeys(
        cells.total(),
        top.map((key) => cells.keys().get(key)?.values),
      ),
    )
    const values = plan.formulas.map((formula) =>
      valueOf(formula, (part) => {
        const span = spanOf(part, formula)
        return span ? span.rest : restOf[part]
      }),
    )
    breakdown.push({ key: null, other: true, values })
  }
  const topHash = createHash('sha256')
    .update(JSON.stringify([...top].sort()))
    .digest('base64url')
    .slice(0, 12)
  return { totals, breakdown, top, rest, topHash }
}

const withoutKeys = (total: readonly number[], keys: readonly (readonly number[] | undefined)[]): number[] =>
  total.map((sum, index) => keys.reduce((left, values) => left - (values?.[index] ?? 0), sum))
