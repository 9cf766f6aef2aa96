// What a failed group means for its calls, by PostgreSQL's own error codes (SQLSTATE).
import pg from 'pg'

/**
 * - `connection`: the connection is gone, nothing of the group was committed
 * - `conflict`: two transactions met; the same group will pass when it is tried again
 * - `capacity`: the database cannot take any group now
 * - `refused`: something in the group, so its calls are tried apart
 */
export type Failure = 'connection' | 'conflict' | 'capacity' | 'refused'

const CONNECTION = new Set(['57P01', '57P02', '57P03', '57P05', '25P03', '57P04'])
// 40001, 40P01, 55P03: serialisation, dead-lock, lock time-out. 23505, 23503: an id came, or went, after it was looked
// up. 23514: a day's partition was dropped after it was made.
const CONFLICT = new Set(['40001', '40P01', '55P03', '23505', '23503', '23514'])
// 57014: statement time-out. 25006: the server has become a standby.
const CAPACITY = new Set(['57014', '25006'])

/** `connectionLost`: what the owner of the connection has seen of it. */
export function failureOf(error: unknown, connectionLost: boolean): Failure {
  const code = error instanceof pg.DatabaseError ? (error.code ?? '') : ''
  if (CONNECTION.has(code) || code.startsWith('08')) return 'connection'
  if (CONFLICT.has(code)) return 'conflict'
  if (CAPACITY.has(code) || code.startsWith('53') || code.startsWith('58')) return 'capacity'
  return connectionLost ? 'connection' : 'refused'
}

/** Is it the content of a row that PostgreSQL refused (data exception, broken constraint)? */
export const isContentRefused = (error: unknown): error is pg.DatabaseError =>
  error instanceof pg.DatabaseError && /^2[23]/.test(error.code ?? '')
