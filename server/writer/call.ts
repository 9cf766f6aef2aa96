// What the writer takes and answers: one call's checked rows of one table family, and what became of each row.
import type { DistributionCenterRow } from './tables/distributionCenters.ts'
import type { EventRows } from './tables/events.ts'
import type { MessageRows } from './tables/messages.ts'
import type { OrderRow } from './tables/orders.ts'
import type { OrderStatusRow } from './tables/orderStatuses.ts'
import type { ProductRow } from './tables/products.ts'
import type { UserMetricRows } from './tables/userMetrics.ts'
import type { UserRows } from './tables/users.ts'

export const REJECTION_CODES = [
  'INVALID',
  'FUTURE_TIMESTAMP',
  'TOO_OLD',
  'UNKNOWN_REFERENCE',
  'IMPOSSIBLE_TRANSITION',
  'TOO_LARGE',
] as const

export type RejectionCode = (typeof REJECTION_CODES)[number]

/** Why one row was not written. `index` counts the call's rows from 0; `path` leads from the row to the field. */
export interface RejectedRow {
  index: number
  code: RejectionCode
  path: string[]
  message: string
}

/** accepted + duplicates + rejected.length = rows sent. Accepted rows are committed. */
export interface IngestResult {
  accepted: number
  duplicates: number
  rejected: RejectedRow[]
}

/** Rows as each table family keeps them between check and COPY. */
export interface RowsOf {
  distributionCenters: DistributionCenterRow[]
  products: ProductRow[]
  users: UserRows
  orders: OrderRow[]
  orderStatuses: OrderStatusRow[]
  events: EventRows
  userMetrics: UserMetricRows
  messages: MessageRows
}

export type TableFamily = keyof RowsOf

/** Names a call, so that its repeat gets the first answer. */
export interface IdempotencyClaim {
  field: string
  caller: string
  key: string
  /** Of the rows as sent: other rows under the same key are refused. */
  requestHash: string
}

/** Days (since 1970-01-01, UTC) a call writes to, of a table partitioned by day. */
export interface PartitionNeeds {
  relation: 'events' | 'order_items'
  days: ReadonlySet<number>
}

export interface CallOf<T extends TableFamily> {
  table: T
  rows: RowsOf[T]
  /** Rows to write, an order's items included; what the check rejected is left out. */
  rowCount: number
  /** About the memory the rows hold. */
  bytes: number
  /** What the check rejected; goes into the answer. */
  rejected: readonly RejectedRow[]
  partitions?: PartitionNeeds
  idempotency?: IdempotencyClaim
}

export type Call = { [T in TableFamily]: CallOf<T> }[TableFamily]

/** A call's rows inside a transaction, with the answer being made. Writing a table fills the result in. */
export interface Part<Rows> {
  rows: Rows
  result: IngestResult
}
