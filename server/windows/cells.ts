// A part's numbers in memory, by bucket and key, over the window before, the window and a little ahead of it. Whole
// numbers all of them, so what is added and taken away again leaves no trace.
import type { Cell } from './readCells.ts'
import { bucketsOf, type Range } from './time.ts'

/** Where a window lies: [before, from) is the window just before, [from, to) the window, [to, ahead) is read already. */
export interface Bounds {
  before: number
  from: number
  to: number
  ahead: number
}

export interface Sums {
  values: number[]
  /** Buckets that hold rows. */
  buckets: number
}

export interface Cells {
  /** Puts what was read over a range in place of what was known of it. */
  replace(range: Range, read: readonly Cell[]): void
  /**
   * Moves the window on; `ahead` of the new bounds must not lie beyond what was read. Answers whether rows left the window.
   */
  move(bounds: Bounds): boolean
  at(bucket: number): ReadonlyMap<string, number[]> | undefined
  /** Over the window, by key. */
  keys(): ReadonlyMap<string, Sums>
  total(): readonly number[]
  /** Over the window before. */
  previous(): readonly number[]
  /** Whether any bucket holds rows. */
  holdsRows(): boolean
}

const same = (left: number[] | undefined, right: number[] | undefined): boolean =>
  left === right || (!!left && !!right && left.every((value, index) => value === right[index]))

const add = (sum: number[], values: readonly number[], sign: 1 | -1): void => {
  for (let index = 0; index < sum.length; index++) sum[index]! += sign * values[index]!
}

/** `changed` is called for every cell of the window that has another value than before. */
export function makeCells(
  measures: number,
  bucketMs: number,
  start: Bounds,
  changed: (bucket: number, key: string) => void,
): Cells {
  let bounds = start
  const buckets = new Map<number, Map<string, number[]>>()
  const keys = new Map<string, Sums>()
  const zeros = (): number[] => new Array<number>(measures).fill(0)
  const total = zeros()
  const previous = zeros()

  function count(key: string, values: number[], sign: 1 | -1): void {
    const sums = keys.get(key) ?? { values: zeros(), buckets: 0 }
    add(sums.values, values, sign)
    sums.buckets += sign
    if (sums.buckets > 0) keys.set(key, sums)
    else keys.delete(key)
    add(total, values, sign)
  }

  /** Adds a bucket to the sums it belongs to, or takes it away. */
  function weigh(bucket: number, cells: Map<string, number[]>, sign: 1 | -1): void {
    const inWindow = bucket >= bounds.from && bucket < bounds.to
    const inPrevious = bucket >= bounds.before && bucket < bounds.from
    if (inWindow) for (const [key, values] of cells) count(key, values, sign)
    else if (inPrevious) for (const values of cells.values()) add(previous, values, sign)
  }

  function put(bucket: number, fresh: Map<string, number[]> | undefined): void {
    const known = buckets.get(bucket)
    if (!known && !fresh) return
    if (known) weigh(bucket, known, -1)
    if (fresh) {
      buckets.set(bucket, fresh)
      weigh(bucket, fresh, 1)
    } else buckets.delete(bucket)
    if (bucket < bounds.from || bucket >= bounds.to) return
    for (const key of known?.keys() ?? []) if (!same(known?.get(key), fresh?.get(key))) changed(bucket, key)
    for (const key of fresh?.keys() ?? []) if (!known?.has(key)) changed(bucket, key)
  }

  return {
    replace(range, read) {
      const fresh = new Map<number, Map<string, number[]>>()
      for (const { bucket, key, values } of read) {
        const cells = fresh.get(bucket) ?? new Map<string, number[]>()
        fresh.set(bucket, cells.set(key, values))
      }
      for (const bucket of bucketsOf(range, bucketMs)) put(bucket, fresh.get(bucket))
    },
    move(next) {
      const last = bounds
      const passed = [
        { from: last.before, to: next.before },
        { from: last.from, to: next.from },
        { from: last.to, to: next.to },
      ].flatMap((range) => [...bucketsOf(range, bucketMs)])
      const moved = [...new Set(passed)].flatMap((bucket) => {
        const cells = buckets.get(bucket)
        return cells ? [[bucket, cells] as const] : []
      })
      for (const [bucket, cells] of moved) weigh(bucket, cells, -1)
      bounds = next
      for (const [bucket, cells] of moved) {
        weigh(bucket, cells, 1)
        if (bucket < next.before) buckets.delete(bucket)
        if (bucket >= last.to && bucket >= next.from) for (const key of cells.keys()) changed(bucket, key)
      }
      return moved.some(([bucket]) => bucket >= last.from && bucket < last.to && bucket < next.from)
    },
    at: (bucket) => buckets.get(bucket),
    keys: () => keys,
    total: () => total,
    previous: () => previous,
    holdsRows: () => buckets.size > 0,
  }
}
