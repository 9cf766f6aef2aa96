// Events on their way into a table by hand: the load tool's, by COPY or as values for INSERT.
import { once } from 'node:events'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { COPY_COLUMNS } from '../../load/events.ts'

export const EVENT_COLUMNS = COPY_COLUMNS.join(', ')

/** COPY of lines of EVENT_COLUMNS. */
export async function copyInto(client: pg.Client, table: string, lines: string): Promise<void> {
  const stream = client.query(copyFrom(`copy ${table} (${EVENT_COLUMNS}) from stdin`))
  stream.end(lines)
  await once(stream, 'finish')
}

/** The same lines field by field. */
export const fieldsOf = (lines: string): (string | null)[][] =>
  lines
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t').map((field) => (field === '\\N' ? null : field)))

/** Parameters for `rows` rows: ($1, $2, …), … */
export const placesOf = (rows: number): string =>
  Array.from(
    { length: rows },
    (_, row) => `(${COPY_COLUMNS.map((_, at) => `$${row * COPY_COLUMNS.length + at + 1}`).join()})`,
  ).join()
