// The points of a window: all that hold rows, or those of some cells, rows or not.
import type { Plan } from './plan.ts'
import { bucketsOf, type Range } from './time.ts'
import type { Point } from './types.ts'
import { valueOf } from './values.ts'
import type { Summary } from './summary.ts'
import type { PartNumbers } from './windowState.ts'

/** With `by` a key of the top or null for the rest; without it always null. */
type Slot = string | null

interface Window {
  plan: Plan
  numbers: readonly PartNumbers[]
  summary: Summary
  bucketMs: number
}

function makePoints({ plan, numbers, summary }: Window) {
  const top = new Map(summary.top.map((key, index) => [key, index]))
  const orderOf = (slot: Slot): number => (slot === null ? top.size : top.get(slot)!)
  const slotOf = (key: string | null): Slot => (plan.by && key !== null && top.has(key) ? key : null)

  /** The measures of each slot that holds rows in a bucket, by part. */
  function slotsAt(bucket: number): Map<Slot, (readonly number[] | undefined)[]> {
    const slots = new Map<Slot, (readonly number[] | undefined)[]>()
    for (const [part, { cells, counts, rest }] of numbers.entries()) {
      for (const [key, values] of cells.at(bucket) ?? []) {
        const slot = slotOf(key)
        const measures = slots.get(slot) ?? []
        slots.set(slot, measures)
        const known = measures[part]
        if (counts && plan.by && slot === null) measures[part] = rest.get(bucket)
        else measures[part] = known ? known.map((value, index) => value + values[index]!) : values
      }
    }
    return slots
  }

  function pointsAt(bucket: number, slots: Iterable<Slot>, held = slotsAt(bucket)): Point[] {
    return [...slots]
      .sort((a, b) => orderOf(a) - orderOf(b))
      .map((slot) => ({
        bucket: new Date(bucket),
        key: slot,
        values: plan.formulas.map((formula) => valueOf(formula, (part) => held.get(slot)?.[part])),
      }))
  }

  return { slotOf, slotsAt, pointsAt }
}

/** Every bucket and key that holds rows. */
export function allPoints(window: Window, range: Range): Point[] {
  const { slotsAt, pointsAt } = makePoints(window)
  return [...bucketsOf(range, window.bucketMs)].flatMap((bucket) => {
    const held = slotsAt(bucket)
    return pointsAt(bucket, held.keys(), held)
  })
}

/** The given cells, those without rows as 0 or null. */
export function pointsOf(
  window: Window,
  range: Range,
  cells: ReadonlyMap<number, ReadonlySet<string | null>>,
): Point[] {
  const { slotOf, pointsAt } = makePoints(window)
  return [...cells]
    .filter(([bucket]) => bucket >= range.from && bucket < range.to)
    .sort(([a], [b]) => a - b)
    .flatMap(([bucket, keys]) => pointsAt(bucket, new Set([...keys].map(slotOf))))
}

/** Every slot of these buckets, rows or not: for a client whose knowledge of them is out of date. */
export function wholePoints(window: Window, range: Range, buckets: Iterable<number>): Point[] {
  const { summary, plan } = window
  const slots = plan.by ? [...summary.top, ...(summary.rest ? [null] : [])] : [null]
  return pointsOf(window, range, new Map([...buckets].map((bucket) => [bucket, new Set(slots)])))
}
