// One window's numbers: loaded once, then kept up by reading again only the buckets that changed or came within reach.
import type { ClientBase } from 'pg'
import type { Change } from '../changes/changes.ts'
import type { Level } from '../metrics/levels.ts'
import type { Asked } from './asked.ts'
import { type Bounds, type Cells, makeCells } from './cells.ts'
import { type Counts, makeCounts } from './counts.ts'
import type { WindowLimits } from './limits.ts'
import { levelFor, type Part, type Plan, reaches, viewOf } from './plan.ts'
import { checkRawEvents } from './rawRows.ts'
import { readCells } from './readCells.ts'
import type { Scope } from './slice.ts'
import { type Summary, summarise } from './summary.ts'
import { alignDown, alignUp, bucketEnd, clip, joinRanges, overlaps, type Range } from './time.ts'

/** A part's numbers. `counts` and `rest` belong to distinct counts alone. */
export interface PartNumbers {
  part: Part
  cells: Cells
  counts: Counts | null
  /** By bucket, for the keys beyond the top together. */
  rest: Map<number, number[]>
}

/** Keys by bucket; null: the rest beyond the top. */
export type ChangedCells = Map<number, Set<string | null>>

export interface WindowState {
  /** Reads everything. `endMs`: where the window ends; left out: with the bucket of now. */
  load(client: ClientBase, nowMs: number, endMs?: number): Promise<void>
  /** Reads what changed, and moves on to now; false where so much time has passed that all must be loaded anew. */
  refresh(client: ClientBase, changes: readonly Change[], nowMs: number): Promise<boolean>
  /** Moves on to now without reading; false where something must be read for that. */
  slide(nowMs: number): boolean
  /** Whether a change touches anything that is held here. */
  concerns(change: Change): boolean
  /** Whether a change lies in the window itself. */
  shows(change: Change): boolean
  /** The views it reads, as the change log names them. */
  views(): string[]
  /** The stretch of time, in whole buckets, that a change covers, if it is in a view of this window. */
  stretchOf(change: Change): Range | null
  bounds(): Bounds
  numbers(): readonly PartNumbers[]
  summary(): Summary
  /** Whether it has distinct counts, which do not follow from its cells. */
  counts(): boolean
  /** Grows with every change of what is shown. */
  version(): number
  /** Cells that changed since this was called last. */
  takeChanged(): ChangedCells
}

export function makeWindowState(plan: Plan, asked: Asked, limits: WindowLimits): WindowState {
  const { windowMs, bucketMs } = asked
  const grid = { bucketMs, timeZone: null }
  let level: Level
  let bounds: Bounds
  let numbers: PartNumbers[] = []
  let summary: Summary | undefined
  let shown = ''
  /** The top whose rest was read; null: none was. */
  let restOf: string | null = null
  let version = 0
  let changedCells: ChangedCells = new Map()

  /** Distinct counts of the window before do not follow from its buckets, so those are not read. */
  const boundsOf = (part: Part): Bounds => (part.distinct ? { ...bounds, before: bounds.from } : bounds)
  const aheadOf = (to: number): number => alignUp(to + 2 * limits.aheadMs, bucketMs)
  const held = (): Range => ({ from: bounds.from, to: bounds.ahead })
  /** Everything that a part's numbers depend on. */
  const reachOf = ({ counts }: PartNumbers): Range => ({
    from: counts ? Math.min(bounds.from, counts.reach(bounds).from) : bounds.before,
    to: bounds.ahead,
  })

  function changed(bucket: number, key: string | null): void {
    version++
    const keys = changedCells.get(bucket)
    if (keys) keys.add(key)
    else changedCells.set(bucket, new Set([key]))
  }

  const read = (client: ClientBase, part: Part, scope: Scope, range: Range) =>
    readCells(client, part, level, plan, scope, range, grid, limits.cellsMax)

  /** By key in the window and ahead of it, all together in the window before. */
  async function readPart(client: ClientBase, { part, cells }: PartNumbers, range: Range): Promise<void> {
    const { before, from, ahead } = boundsOf(part)
    const earlier = clip(range, { from: before, to: from })
    const later = clip(range, { from, to: ahead })
    if (earlier) cells.replace(earlier, await read(client, part, 'all', earlier))
    if (later) cells.replace(later, await read(client, part, 'keys', later))
  }

  async function readRest(
    client: ClientBase,
    { part, rest }: PartNumbers,
    range: Range,
    top: readonly string[],
  ): Promise<void> {
    const known = new Map<number, number[]>()
    for (const [bucket, values] of rest) {
      if (bucket < range.from || bucket >= range.to) continue
      known.set(bucket, values)
      rest.delete(bucket)
    }
    for (const { bucket, values } of await read(client, part, { except: top }, range)) rest.set(bucket, values)
    for (const bucket of new Set([...known.keys(), ...rest.keys()])) {
      if (bucket < bounds.from || bucket >= bounds.to || bucket < range.from || bucket >= range.to) continue
      if (String(known.get(bucket)) !== String(rest.get(bucket))) changed(bucket, null)
    }
  }

  function summariseAt(nowMs: number): Summary {
    const known = plan.parts.map((part) => part.relation.layout === 'raw' || reaches(level, bounds.before, nowMs))
    const fresh = summarise(plan, numbers, known)
    // What the window before moves alone is not a change.
    const shows = JSON.stringify([fresh.totals.map(({ value }) => value), fresh.breakdown])
    if (shows !== shown) version++
    shown = shows
    summary = fresh
    return fresh
  }

  /** Once cells are up to date: the counts that do not follow from them. `stale`: what was read anew, by part. */
  async function settle(client: ClientBase, nowMs: number, stale: readonly Range[][], moved: boolean): Promise<void> {
    const due = numbers.map((of, index) => {
      const passed = moved && ((of.counts?.anything() ?? false) || of.cells.holdsRows())
      return of.counts !== null && (passed || stale[index]!.some((range) => overlaps(range, reachOf(of))))
    })
    for (const [index, { counts }] of numbers.entries()) {
      if (due[index]) await counts!.read(client, bounds, nowMs, stale[index]!, moved)
    }
    const { top, topHash, rest } = summariseAt(nowMs)
    const counted = numbers.filter(({ counts }) => counts)
    if (counted.length === 0 || (!rest && restOf === null)) return
    for (const [index, of] of numbers.entries()) {
      if (!of.counts) continue
      for (const bucket of of.rest.keys()) if (bucket < bounds.from || !rest) of.rest.delete(bucket)
      const ranges = !rest ? [] : restOf === topHash ? stale[index]! : [held()]
      for (const range of ranges) {
        const within = clip(range, held())
        if (within) await readRest(client, of, within, top)
      }
      if (due[index] || !rest || restOf !== topHash) await of.counts.readRest(client, bounds, nowMs, rest ? top : null)
    }
    restOf = rest ? topHash : null
    summariseAt(nowMs)
  }

  /** Moves the window so that it ends at `to`; false where it ends there already. */
  function moveTo(to: number): boolean {
    if (to <= bounds.to) return false
    bounds = { before: to - 2 * windowMs, from: to - windowMs, to, ahead: bounds.ahead }
    for (const { part, cells } of numbers) if (cells.move(boundsOf(part))) version++
    return true
  }

  async function load(client: ClientBase, nowMs: number, endMs = bucketEnd(nowMs, bucketMs)): Promise<void> {
    const [before, from, to] = [endMs - 2 * windowMs, endMs - windowMs, endMs]
    level = levelFor(bucketMs, from, nowMs)
    bounds = { before, from, to, ahead: aheadOf(to) }
    if (plan.parts.some(({ relation }) => relation.layout === 'raw' && relation.bounded)) {
      await checkRawEvents(
        client,
        { from: before, to },
        { rowsMax: limits.rawRowsMax, spans: 2, stepMs: bucketMs, what: 'This combination of dimensions' },
      )
    }
    numbers = plan.parts.map((part) => ({
      part,
      cells: makeCells(part.measures.length, bucketMs, boundsOf(part), changed),
      counts: part.distinct ? makeCounts(plan, part) : null,
      rest: new Map(),
    }))
    restOf = null
    const everything = { from: before, to: bounds.ahead }
    for (const of of numbers) await readPart(client, of, everything)
    await settle(
      client,
      nowMs,
      numbers.map(() => [everything]),
      true,
    )
    changedCells = new Map()
    version++
  }

  function stretchOf(change: Change): Range | null {
    if (!numbers.some(({ part }) => viewOf(part, level) === change.view)) return null
    return {
      from: alignDown(change.firstBucket.getTime(), bucketMs),
      to: alignUp(change.lastBucket.getTime() + level.widthMs, bucketMs),
    }
  }

  async function refresh(client: ClientBase, changes: readonly Change[], nowMs: number): Promise<boolean> {
    const to = Math.max(bucketEnd(nowMs, bucketMs), bounds.to)
    if (to - bounds.to > windowMs) return false
    const stale = numbers.map((of) => {
      const view = viewOf(of.part, level)
      const stretches = changes.filter((change) => change.view === view).map((change) => stretchOf(change)!)
      return joinRanges(
        stretches.flatMap((stretch) => clip(stretch, reachOf(of)) ?? []),
        limits.rangesMax,
      )
    })
    if (to + limits.aheadMs > bounds.ahead) {
      const further = { from: bounds.ahead, to: aheadOf(to) }
      bounds = { ...bounds, ahead: further.to }
      for (const ranges of stale) ranges.push(further)
    }
    for (const [index, of] of numbers.entries()) for (const range of stale[index]!) await readPart(client, of, range)
    await settle(client, nowMs, stale, moveTo(to))
    return true
  }

  function slide(nowMs: number): boolean {
    const to = bucketEnd(nowMs, bucketMs)
    if (to <= bounds.to) return true
    if (to > bounds.ahead || to - bounds.to > windowMs) return false
    if (numbers.some(({ counts, cells }) => counts && (counts.anything() || cells.holdsRows()))) return false
    moveTo(to)
    summariseAt(nowMs)
    return true
  }

  const touches = (change: Change, reach: (of: PartNumbers) => Range): boolean => {
    const stretch = stretchOf(change)
    return !!stretch && numbers.some((of) => viewOf(of.part, level) === change.view && overlaps(stretch, reach(of)))
  }

  return {
    load,
    refresh,
    slide,
    concerns: (change) => touches(change, reachOf),
    shows: (change) =>
      touches(change, ({ counts }) => ({
        from: counts ? Math.min(bounds.from, counts.reach(bounds).from) : bounds.from,
        to: bounds.to,
      })),
    views: () => numbers.map(({ part }) => viewOf(part, level)),
    stretchOf,
    bounds: () => bounds,
    numbers: () => numbers,
    summary: () => summary!,
    counts: () => plan.parts.some(({ distinct }) => distinct),
    version: () => version,
    takeChanged() {
      const taken = changedCells
      changedCells = new Map()
      return taken
    },
  }
}
