// What a stream of rows needs to know of its table. One source a table; it holds the SQL and nothing else.

/** Half-open: first ≤ moment < past. */
export interface Span {
  first: Date
  past: Date
}

/** A row as it streams. */
export interface StreamRow {
  id: string
  createdAt: Date
}

export interface RowSource<Row extends StreamRow> {
  /** The continuous aggregate whose changes say where rows changed, with buckets of `bucketMs`. */
  view: string
  bucketMs: number
  /** The stream's rows now, and the pg_snapshot they were read in. */
  all(windowStart: Date): Promise<{ rows: Row[]; snapshotText: string }>
  /** Rows within the spans that `upTo` shows in a version that `since` did not. Newest first, `rowsMax` + 1 at most. */
  changed(spans: Span[], since: string, upTo: string, rowsMax: number): Promise<Row[]>
  /** Keys of all rows within the spans; a source whose stream does not tell of rows that left has none. */
  keys?(spans: Span[], rowsMax: number): Promise<string[]>
  /** Rows the stream holds no longer at `windowStart`; takes them out of `rows` and answers those to tell of. */
  trim(rows: Map<string, Row>, windowStart: Date): string[]
}

/** A row of a statement that reads all: the snapshot it was read in, and nothing else where there is no row. */
export type Held<Row extends StreamRow> = (Row | { [Column in keyof Row]: null }) & { snapshotText: string }

export function readAll<Row extends StreamRow>(held: Held<Row>[]): { rows: Row[]; snapshotText: string } {
  const rows = held.filter(({ id }) => id !== null).map(({ snapshotText: _, ...row }) => row as unknown as Row)
  return { rows, snapshotText: held[0]?.snapshotText ?? '' }
}

/**
 * The full transaction id behind a row's 32-bit xmin: the nearest at or below the snapshot's end. `xmin` and `snapshot`
 * are SQL expressions of our own.
 */
export const fullXid = (xmin: string, snapshot: string): string => {
  const end = `pg_catalog.pg_snapshot_xmax(${snapshot})::text::bigint`
  return `(${end} - ((${end} - ${xmin}::text::bigint) & 4294967295))::text::xid8`
}
