// Stretches of time in which rows changed: clipped to the window, joined where they meet, bounded in number.
import { type Change, newestCommit } from '../changes/changes.ts'
import type { RowSource, Span, StreamRow } from './source.ts'

/** Within what PostgreSQL and Date both know: a change with open ends reaches beyond. */
const FIRST_MS = 0
const PAST_MS = Date.UTC(9999, 11, 31)

const clamp = (ms: number): number => Math.min(Math.max(ms, FIRST_MS), PAST_MS)

/** Where rows of a source changed, from `start` on: in order and without overlap; beyond `spansMax` the nearest are joined. */
export function spansOf(
  changes: readonly Change[],
  { view, bucketMs }: Pick<RowSource<StreamRow>, 'view' | 'bucketMs'>,
  start: Date,
  spansMax: number,
): Span[] {
  const touched = changes.filter((change) => change.view === view)
  return joinSpans(
    touched.map(({ firstBucket, lastBucket }) => ({
      first: new Date(clamp(firstBucket.getTime())),
      past: new Date(clamp(lastBucket.getTime() + bucketMs)),
    })),
    start,
    spansMax,
  )
}

/** The same as changes, for those who gather many before they look. */
export function joinChanges(
  changes: readonly Change[],
  source: Pick<RowSource<StreamRow>, 'view' | 'bucketMs'>,
  spansMax: number,
): Change[] {
  const committedAt = newestCommit(changes)
  if (!committedAt) return []
  return spansOf(changes, source, new Date(FIRST_MS), spansMax).map(({ first, past }) => ({
    view: source.view,
    firstBucket: first,
    lastBucket: new Date(past.getTime() - source.bucketMs),
    committedAt,
  }))
}

function joinSpans(spans: Span[], start: Date, spansMax: number): Span[] {
  const joined: Span[] = []
  const inWindow = spans
    .filter(({ past }) => past > start)
    .map(({ first, past }) => ({ first: first < start ? start : first, past }))
    .sort((a, b) => a.first.getTime() - b.first.getTime())
  for (const { first, past } of inWindow) {
    const last = joined.at(-1)
    if (!last || first > last.past) joined.push({ first, past })
    else if (past > last.past) last.past = past
  }
  while (joined.length > spansMax) joinNearest(joined)
  return joined
}

/** Halves the number of gaps, the narrowest first. */
function joinNearest(spans: Span[]): void {
  const gaps = spans.slice(1).map(({ first }, i) => first.getTime() - spans[i]!.past.getTime())
  const median = gaps.toSorted((a, b) => a - b)[gaps.length >> 1]!
  let kept = 0
  for (let i = 1; i < spans.length; i++) {
    if (gaps[i - 1]! <= median) spans[kept]!.past = spans[i]!.past
    else spans[++kept] = spans[i]!
  }
  spans.length = kept + 1
}
