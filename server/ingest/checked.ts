// What a check makes of a call's rows, and the walk over them that all mutations share.
import type { CallOf, RejectedRow, TableFamily } from '../writer/call.ts'
import { type Now, Refusal } from './rules.ts'

/** What the checks are given besides rows. */
export interface CheckContext {
  now: Now
  /** A new time-ordered id. */
  newId: () => string
}

/** A call as the writer takes it, but for its idempotency key. */
export type Checked<T extends TableFamily> = Omit<CallOf<T>, 'idempotency'>

/** Memory a row holds besides its text, about. */
export const ROW_OVERHEAD_BYTES = 96

/** Calls `check` for each row; the refusals, thrown or answered, become the call's rejected rows. */
export function checkEach<Row>(
  rows: Iterable<Row>,
  check: (row: Row, index: number) => Refusal | undefined,
): RejectedRow[] {
  const rejected: RejectedRow[] = []
  let index = 0
  for (const row of rows) {
    const refusal = attempt(check, row, index)
    if (refusal) rejected.push({ index, code: refusal.code, path: refusal.path, message: refusal.message })
    index += 1
  }
  return rejected
}

function attempt<Row>(
  check: (row: Row, index: number) => Refusal | undefined,
  row: Row,
  index: number,
): Refusal | undefined {
  try {
    return check(row, index)
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}
