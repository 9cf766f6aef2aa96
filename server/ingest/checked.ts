// What a check makes of a call's rows, and the walk over them that all mutations share.
import type { CallOf, RejectedRow, TableFamily } from '../writer/call.ts'
import { type Now, Refusal } from './rules.ts'
import type { InputRow } from './row.ts'

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
export function checkEach(
  rows: readonly InputRow[],
  check: (row: InputRow, index: number) => Refusal | undefined,
): RejectedRow[] {
  const rejected: RejectedRow[] = []
  for (let index = 0; index < rows.length; index += 1) {
    const refusal = attempt(check, rows[index] as InputRow, index)
    if (refusal) rejected.push({ index, code: refusal.code, path: refusal.path, message: refusal.message })
  }
  return rejected
}

function attempt(
  check: (row: InputRow, index: number) => Refusal | undefined,
  row: InputRow,
  index: number,
): Refusal | undefined {
  try {
    return check(row, index)
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}
