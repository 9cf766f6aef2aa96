// The messages of a stream of rows: each is made once, however many are due it.
import { type ReadPlace, writeCursor } from './cursor.ts'
import type { RowsDelta } from './slot.ts'
import type { StreamRow } from './source.ts'

/** One message of a stream of rows. Rows are shared between subscribers: read only. */
export interface RowsUpdate<Row extends StreamRow> {
  kind: 'SNAPSHOT' | 'DELTA'
  cursor: string
  previousCursor: string | null
  windowStart: Date
  windowEnd: Date
  /** Newest first. */
  items: Row[]
  removed: string[]
}

/** Where the stream stands, and where the reader stood before. */
export interface Standing<Row extends StreamRow> {
  place: ReadPlace
  windowEnd: Date
  rows: ReadonlyMap<string, Row>
  /** What the reader was sent last. */
  previousCursor: string | null
}

const newestFirst = <Row extends StreamRow>(items: readonly Row[]): Row[] =>
  items.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : -1))

/** The same object for all who are due the same. `mark` sets the stream's cursors apart from others'. */
export function makeUpdates<Row extends StreamRow>(mark: string) {
  /** Messages made already, by the delta or the place they tell of, and the cursor they follow. */
  const made = new WeakMap<object, Map<string | null, RowsUpdate<Row>>>()

  return (
    due: RowsDelta<Row> | 'snapshot',
    { place, windowEnd, rows, ...standing }: Standing<Row>,
  ): RowsUpdate<Row> => {
    const isSnapshot = due === 'snapshot'
    const previousCursor = isSnapshot ? null : standing.previousCursor
    const told = isSnapshot ? place : due
    const known = made.get(told) ?? new Map<string | null, RowsUpdate<Row>>()
    const update = known.get(previousCursor) ?? {
      kind: isSnapshot ? ('SNAPSHOT' as const) : ('DELTA' as const),
      cursor: writeCursor(place, mark),
      previousCursor,
      windowStart: place.windowStart,
      windowEnd,
      items: newestFirst(isSnapshot ? [...rows.values()] : due.items),
      removed: isSnapshot ? [] : due.removed,
    }
    made.set(told, known.set(previousCursor, update))
    return update
  }
}
