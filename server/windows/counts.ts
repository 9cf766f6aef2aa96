// A part of distinct counts beyond its cells: what does not add up is read for each scope. Over the whole window (or the
// last minutes of it), over the one before, by key, and for the keys beyond the top together.
import type { ClientBase } from 'pg'
import type { Bounds } from './cells.ts'
import type { Part, Plan } from './plan.ts'
import { readCounts } from './readCounts.ts'
import { overlaps, type Range } from './time.ts'

/** One scope's counts: undefined where there are none, null where they are not known. */
type Known = readonly number[] | undefined | null

interface Span {
  now: Known
  previous: Known
  keys: ReadonlyMap<string, readonly number[]>
  rest: Known
}

export interface Counts {
  /** Reads everything but the rest, as far as it depends on the stale stretches of time, or on where the window lies now. */
  read(client: ClientBase, bounds: Bounds, nowMs: number, stale: readonly Range[], moved: boolean): Promise<void>
  /** Reads the rest: the keys that are not in `top`; null: there is none. */
  readRest(client: ClientBase, bounds: Bounds, nowMs: number, top: readonly string[] | null): Promise<void>
  /** Over the last `trailingMs` of the window; null: over all of it. */
  span(trailingMs: number | null): Span
  /** The stretch of time whose rows are counted in any way. */
  reach(bounds: Bounds): Range
  /** Whether any count is not 0. */
  anything(): boolean
}

const empty: Span = { now: undefined, previous: undefined, keys: new Map(), rest: undefined }

export function makeCounts(plan: Plan, part: Part): Counts {
  const index = plan.parts.indexOf(part)
  const trailings = new Set(
    plan.formulas
      .filter(({ over, under }) => [...over, ...(under ?? [])].some((place) => place.part === index))
      .map(({ trailingMs }) => trailingMs),
  )
  const spans = new Map<number | null, Span>([...trailings].map((trailingMs) => [trailingMs, empty]))

  const nowOf = ({ from, to }: Bounds, trailingMs: number | null): Range => ({
    from: trailingMs === null ? from : to - trailingMs,
    to,
  })
  const previousOf = ({ before, from }: Bounds, trailingMs: number | null): Range => ({
    from: trailingMs === null ? before : from - trailingMs,
    to: from,
  })

  return {
    async read(client, bounds, nowMs, stale, moved) {
      const due = (range: Range) => moved || stale.some((stretch) => overlaps(stretch, range))
      for (const [trailingMs, span] of spans) {
        const present = nowOf(bounds, trailingMs)
        const before = previousOf(bounds, trailingMs)
        const fresh = { ...span }
        if (due(present)) {
          const counts = await readCounts(client, part, plan, 'all', present, nowMs)
          fresh.now = counts && counts.get('')
          if (plan.by) fresh.keys = (await readCounts(client, part, plan, 'keys', present, nowMs)) ?? new Map()
        }
        if (due(before)) {
          const counts = await readCounts(client, part, plan, 'all', before, nowMs)
          fresh.previous = counts && counts.get('')
        }
        spans.set(trailingMs, fresh)
      }
    },
    async readRest(client, bounds, nowMs, top) {
      for (const [trailingMs, span] of spans) {
        const rest = top && (await readCounts(client, part, plan, { except: top }, nowOf(bounds, trailingMs), nowMs))
        spans.set(trailingMs, { ...span, rest: rest?.get('') })
      }
    },
    span: (trailingMs) => spans.get(trailingMs) ?? empty,
    reach: (bounds) => ({
      from: Math.min(...[...trailings].map((trailingMs) => previousOf(bounds, trailingMs).from)),
      to: bounds.to,
    }),
    anything: () =>
      [...spans.values()].some(({ now, previous }) => [now, previous].some((counts) => counts?.some((n) => n > 0))),
  }
}
