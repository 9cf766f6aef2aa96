// From measures to the values that are sent.
import type { Formula } from './plan.ts'

/** Ten digits: a relative 1e-9 and better, and the same number whatever order it was summed in. */
const round = (value: number): number => Number(value.toPrecision(10))

/**
 * A formula's value. `measures` answers the measures of a part in a scope: undefined where it holds no rows, null where
 * that is not known. A sum over nothing is 0, a ratio over nothing null.
 */
export function valueOf(
  formula: Formula,
  measures: (part: number) => readonly number[] | undefined | null,
): number | null {
  const over = sumOf(formula.over, measures)
  if (over === null) return null
  if (!formula.under) return over / formula.unit
  const under = sumOf(formula.under, measures)
  return under ? round(over / formula.unit / under) : null
}

function sumOf(
  places: Formula['over'],
  measures: (part: number) => readonly number[] | undefined | null,
): number | null {
  let sum = 0
  for (const { part, measure } of places) {
    const values = measures(part)
    if (values === null) return null
    sum += values?.[measure] ?? 0
  }
  return sum
}

/** Largest first, what is not defined last, ties by key. */
export function rank(keys: Iterable<string>, valueOfKey: (key: string) => number | null): string[] {
  return [...keys]
    .map((key) => ({ key, value: valueOfKey(key) }))
    .sort((a, b) => {
      if (a.value !== b.value) {
        if (a.value === null) return 1
        if (b.value === null) return -1
        return b.value - a.value
      }
      return a.key < b.key ? -1 : a.key > b.key ? 1 : 0
    })
    .map(({ key }) => key)
}
