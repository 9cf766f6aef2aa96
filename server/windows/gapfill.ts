// What stands in buckets that hold no rows: nothing at all, null, zero, the last value, or a line between neighbours.
import type { Formula, Plan } from './plan.ts'
import type { Gapfill, Point } from './types.ts'
import { valueOf } from './values.ts'

export interface Series {
  /** null: the rest, or without `by` everything. */
  key: string | null
  /** By bucket that holds rows: the measures of each part that does. */
  measures: Map<number, (readonly number[] | undefined)[]>
}

/** One value a bucket; `held`: whether what it is made of holds rows there. */
interface Slot {
  value: number | null
  held: boolean
}

const fillers: Record<Gapfill, (slots: readonly Slot[], formula: Formula) => (number | null)[]> = {
  NONE: (slots) => slots.map(({ value }) => value),
  NULL: (slots) => slots.map(({ value, held }) => (held ? value : null)),
  ZERO: (slots) => slots.map(({ value }) => value),
  LOCF(slots) {
    let last: number | null = null
    return slots.map(({ value, held }) => {
      if (held) last = value ?? last
      return held ? value : last
    })
  },
  LINEAR(slots) {
    const filled = slots.map(({ value, held }) => (held ? value : null))
    const known = slots.flatMap(({ value, held }, index) => (held && value !== null ? [index] : []))
    known.slice(1).forEach((right, index) => {
      const left = known[index]!
      const [from, to] = [filled[left]!, filled[right]!]
      for (let at = left + 1; at < right; at++) {
        if (!slots[at]!.held) filled[at] = from + ((to - from) * (at - left)) / (right - left)
      }
    })
    return filled
  },
}

/** Points in the order of buckets, then of series. A sum over a bucket without rows is 0 before it is filled, a ratio null. */
export function fillGaps(series: readonly Series[], buckets: readonly number[], plan: Plan, gapfill: Gapfill): Point[] {
  const columns = series.map(({ measures }) =>
    plan.formulas.map((formula) => {
      const parts = [...formula.over, ...(formula.under ?? [])].map(({ part }) => part)
      const slots = buckets.map((bucket): Slot => {
        const held = measures.get(bucket)
        return {
          value: valueOf(formula, (part) => held?.[part]),
          held: !!held && parts.some((part) => held[part] !== undefined),
        }
      })
      return fillers[gapfill](slots, formula)
    }),
  )
  return buckets.flatMap((bucket, at) =>
    series.flatMap(({ key, measures }, index) =>
      gapfill === 'NONE' && !measures.has(bucket)
        ? []
        : [{ bucket: new Date(bucket), key, values: columns[index]!.map((column) => column[at]!) }],
    ),
  )
}
