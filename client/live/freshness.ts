// How far the page may be trusted right now: live, delayed by so much, or cut off since then.
import type { ConnectionState } from '../api/connection.ts'

export type Freshness =
  | { is: 'connecting' }
  | { is: 'live' }
  | { is: 'delayed'; behindMs: number }
  | { is: 'disconnected'; lostAt: number | null; retryAt: number | null }

export interface Signs {
  connection: ConnectionState
  /** Since the last beat of the statistics, which come every second whatever the shop does; null before the first. */
  heartbeatAgeMs: number | null
  /** From commit to stream, as the server measures it. */
  streamLagMs: number | null
  /** How old the newest row is while rows come in: a shop that sends yesterday's rows is not live. Null when none come. */
  rowLagMs: number | null
}

const HEARTBEAT_LATE_MS = 4_000
const STREAM_LATE_MS = 2_000
const ROWS_LATE_MS = 10_000

export function readFreshness({ connection, heartbeatAgeMs, streamLagMs, rowLagMs }: Signs): Freshness {
  if (connection.is === 'waiting') return { is: 'disconnected', lostAt: connection.lostAt, retryAt: connection.retryAt }
  if (connection.is === 'connecting' && connection.lostAt !== null)
    return { is: 'disconnected', lostAt: connection.lostAt, retryAt: null }
  if (connection.is === 'connecting' || heartbeatAgeMs === null) return { is: 'connecting' }
  const behindMs = Math.max(
    heartbeatAgeMs > HEARTBEAT_LATE_MS ? heartbeatAgeMs : 0,
    streamLagMs !== null && streamLagMs > STREAM_LATE_MS ? streamLagMs : 0,
    rowLagMs !== null && rowLagMs > ROWS_LATE_MS ? rowLagMs : 0,
  )
  return behindMs > 0 ? { is: 'delayed', behindMs } : { is: 'live' }
}
