// Order life: Processing → Shipped → Complete → Returned, or Processing → Cancelled. Rows are locked, steps are taken in
// the order they were sent, and each order and its items are updated once a group.
import type pg from 'pg'
import type { Part } from '../call.ts'
import { plainArray } from '../copy.ts'
import type { OrderStatus } from './orders.ts'

export interface OrderStatusRow {
  /** Its place in the call. */
  index: number
  orderId: string
  status: OrderStatus
  at: string
}

/** Where an order may go from each status. */
const STEPS: Record<OrderStatus, readonly OrderStatus[]> = {
  PROCESSING: ['SHIPPED', 'CANCELLED'],
  SHIPPED: ['COMPLETE'],
  COMPLETE: ['RETURNED'],
  CANCELLED: [],
  RETURNED: [],
}

/** The column that tells when an order came to a status. */
const TIME_OF = { SHIPPED: 'shipped_at', COMPLETE: 'delivered_at', RETURNED: 'returned_at' } as const

/** Named as the columns are: rows go to PostgreSQL as JSON. */
interface OrderLife {
  order_id: string
  status: OrderStatus
  changed?: true
  shipped_at?: string
  delivered_at?: string
  returned_at?: string
}

// Locked in the order of their ids: a concurrent change of the same order waits here and then sees this one's outcome.
const LOCK = `
  select order_id, status from public.orders where order_id = any($1::uuid[]) order by order_id for no key update`

const CHANGES = `
  json_to_recordset($1::json) as life
    (order_id uuid, status public."OrderStatus", shipped_at timestamptz, delivered_at timestamptz,
     returned_at timestamptz)`

const CHANGE_ORDERS = `
  update public.orders as held set
    status = life.status,
    shipped_at = coalesce(life.shipped_at, held.shipped_at),
    delivered_at = coalesce(life.delivered_at, held.delivered_at),
    returned_at = coalesce(life.returned_at, held.returned_at)
  from ${CHANGES}
  where held.order_id = life.order_id
  returning held.created_at::text`

// An item's time is its order's, which spares the look into every other day's partition.
const CHANGE_ITEMS = `
  update public.order_items as item set
    status = life.status,
    shipped_at = coalesce(life.shipped_at, item.shipped_at),
    delivered_at = coalesce(life.delivered_at, item.delivered_at),
    returned_at = coalesce(life.returned_at, item.returned_at)
  from ${CHANGES}
  where item.order_id = life.order_id
    and item.created_at = any($2::timestamptz[])`

export async function writeOrderStatuses(
  client: pg.ClientBase,
  parts: readonly Part<OrderStatusRow[]>[],
): Promise<void> {
  const orderIds = new Set(parts.flatMap(({ rows }) => rows.map((row) => row.orderId)))
  const held = await client.query<OrderLife>({ name: 'writer lock', text: LOCK, values: [plainArray(orderIds)] })
  const lives = new Map(held.rows.map((order) => [order.order_id, order]))
  for (const part of parts) takeSteps(part, lives)
  const changed = JSON.stringify([...lives.values()].filter((life) => life.changed))
  if (changed === '[]') return
  const orders = await client.query<{ created_at: string }>(CHANGE_ORDERS, [changed])
  await client.query(CHANGE_ITEMS, [changed, orders.rows.map((order) => order.created_at)])
}

function takeSteps({ rows, result }: Part<OrderStatusRow[]>, lives: ReadonlyMap<string, OrderLife>): void {
  for (const { index, orderId, status, at } of rows) {
    const life = lives.get(orderId)
    if (!life) {
      const message = 'There is no order with this id.'
      result.rejected.push({ index, code: 'UNKNOWN_REFERENCE', path: ['orderId'], message })
    } else if (life.status === status) {
      result.duplicates += 1
    } else if (!STEPS[life.status].includes(status)) {
      const message = `An order that is ${life.status} cannot become ${status}.`
      result.rejected.push({ index, code: 'IMPOSSIBLE_TRANSITION', path: ['status'], message })
    } else {
      life.status = status
      life.changed = true
      if (status in TIME_OF) life[TIME_OF[status as keyof typeof TIME_OF]] = at
      result.accepted += 1
    }
  }
}
