// What a resolver is given: who calls, and the steps of the flow it may ask.
import type { Caller } from '../access/callers.ts'
import type { Changes } from '../changes/changes.ts'
import type { Database } from '../db/index.ts'
import type { Ingest } from '../ingest/ingest.ts'
import type { Subscriptions } from '../subscriptions/subscriptions.ts'
import type { Windows } from '../windows/types.ts'

/** Query.stats and Subscription.stats: how the server does. Counts are since its start, sizes in bytes. */
export interface Stats {
  at: Date
  startedAt: Date
  uptimeSeconds: number
  rowsAccepted: number
  rowsDuplicate: number
  rowsRejected: number
  /** Accepted rows a second, over the last 5 seconds. */
  rowsPerSecond: number
  queueRows: number
  queueRowsMax: number
  /** Median of the last 256 commits. */
  commitLatencyMs: number | null
  /** From commit until the change reader has seen it, median of the last 256 of the last minute. */
  streamLagMs: number | null
  subscribers: number
  windows: number
  memoryBytes: number
  databaseBytes: number
  databaseVersion: string
}

/** A PrismaClient; resolvers of theLook's types know it by its whole type, which is too slow to check everywhere. */
export interface PrismaHandle {
  $connect(): Promise<void>
}

export interface Services {
  database: Database
  prisma: PrismaHandle
  ingest: Ingest
  changes: Changes
  windows: Windows
  subscriptions: Subscriptions<Stats>
  stats(): Stats | Promise<Stats>
}

export interface Context {
  /** Named in the log and in every answer that failed. */
  requestId: string
  caller: Caller
  services: Services
}
