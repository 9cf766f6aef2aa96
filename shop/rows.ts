// What the simulation produces: rows in the shop's own units (milliseconds, cents); wire.ts turns them into GraphQL input.
import type { Place } from './geography.ts'

export type Gender = 'M' | 'F'
export type OrderStatus = 'PROCESSING' | 'SHIPPED' | 'COMPLETE' | 'CANCELLED' | 'RETURNED'
export type Severity = 'SUCCESS' | 'WARNING' | 'DANGER'

export interface UserRow {
  id: string
  firstName: string
  lastName: string
  email: string
  age: number
  gender: Gender
  street: string
  place: Place
  trafficSource: string
  atMs: number
}

export interface OrderRow {
  id: string
  userId: string
  items: { productId: number; cents: number }[]
  atMs: number
}

/** A step in an order's life; `cents` and `items` of an order of an earlier run are not known and 0. */
export interface StatusRow {
  orderId: string
  from: OrderStatus
  to: OrderStatus
  cents: number
  items: number
  atMs: number
}

export interface EventRow {
  type: string
  userId: string | null
  sessionId: string
  sequence: number
  place: Place
  ipAddress: string
  browser: string
  trafficSource: string
  uri: string
  /** The order's total, on a purchase. */
  cents: number | null
  properties: Record<string, unknown> | null
  atMs: number
}

export interface UserMetricRow {
  userId: string
  pageViews: number
  seconds: number
  atMs: number
}

export interface MessageRow {
  severity: Severity
  title: string
  text: string
  payload: Record<string, unknown>
  channel: string
  atMs: number
}

/** Every kind of row, in the order in which they refer to each other. */
export interface Rows {
  users: UserRow
  orders: OrderRow
  statuses: StatusRow
  events: EventRow
  userMetrics: UserMetricRow
  messages: MessageRow
}

export type Kind = keyof Rows
export const kinds: readonly Kind[] = ['users', 'orders', 'statuses', 'events', 'userMetrics', 'messages']

/** Where the simulation puts what happens. */
export type Sink = <K extends Kind>(kind: K, row: Rows[K]) => void
