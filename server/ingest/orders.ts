// Orders with their items, as placeOrders takes them. What they refer to is looked up by the writer.
import type { OrderItemRow, OrderRow, OrderStatus } from '../writer/tables/orders.ts'
import { checkEach, type CheckContext, type Checked, ROW_OVERHEAD_BYTES } from './checked.ts'
import { FieldReader, type InputRow } from './row.ts'
import { key, momentMs, money, type Now, oneOf, Refusal, uuid } from './rules.ts'

const ITEMS_PER_ORDER_MAX = 100
const DAY_MS = 86_400_000

const price = money(8)

export const orderStatus = oneOf<OrderStatus>('PROCESSING', 'SHIPPED', 'COMPLETE', 'CANCELLED', 'RETURNED')

/** A moment as text, within the days that are kept where `oldestMs` says so. */
export const moment =
  (now: Now, oldestMs?: number) =>
  (value: unknown): string | Refusal => {
    const ms = momentMs(value, now, oldestMs)
    return ms instanceof Refusal ? ms : new Date(ms).toISOString()
  }

const someItems = (value: unknown): InputRow[] | Refusal => {
  if (!Array.isArray(value) || value.length === 0) return new Refusal('INVALID', 'must hold an item')
  return value.length > ITEMS_PER_ORDER_MAX
    ? new Refusal('TOO_LARGE', `must not hold more than ${ITEMS_PER_ORDER_MAX} items`)
    : (value as InputRow[])
}

function readItem(row: InputRow, at: number, newId: () => string): OrderItemRow {
  const fields = new FieldReader(row, ['items', String(at)])
  const id = fields.optional('id', uuid)
  const inventoryItemId = fields.optional('inventoryItemId', uuid)
  return {
    id: id ?? newId(),
    given: id !== null,
    productId: fields.required('productId', key),
    salePrice: fields.optional('salePrice', price),
    inventoryItemId: inventoryItemId ?? newId(),
    inventoryGiven: inventoryItemId !== null,
  }
}

/** An id must not be named twice in one order. */
function assertApart(items: readonly OrderItemRow[], name: 'id' | 'inventoryItemId'): void {
  const seen = new Set<string>()
  for (const [at, item] of items.entries()) {
    if (seen.has(item[name])) {
      const path = ['items', String(at), name]
      throw new Refusal('INVALID', `${path.join('.')} is named twice in this order.`, path)
    }
    seen.add(item[name])
  }
}

/** Checks a call's orders: TOO_OLD where the day's partition of their items may be gone. */
export function checkOrders(inputs: readonly InputRow[], { now, newId }: CheckContext): Checked<'orders'> {
  const rows: OrderRow[] = []
  const days = new Set<number>()
  let rowCount = 0
  let bytes = 0

  const rejected = checkEach(inputs, (row, index) => {
    const fields = new FieldReader(row)
    const id = fields.optional('id', uuid)
    const createdAt = fields.optional('createdAt', moment(now, now.oldestMs)) ?? now.nowText
    const items = fields.required('items', someItems).map((item, at) => readItem(item, at, newId))
    assertApart(items, 'id')
    assertApart(items, 'inventoryItemId')
    rows.push({
      index,
      id: id ?? newId(),
      given: id !== null,
      userId: fields.required('userId', uuid),
      status: fields.optional('status', orderStatus) ?? 'PROCESSING',
      createdAt,
      items,
    })
    days.add(Math.floor(Date.parse(createdAt) / DAY_MS))
    rowCount += 1 + items.length
    bytes += ROW_OVERHEAD_BYTES * (3 + 5 * items.length)
    return undefined
  })
  return {
    table: 'orders',
    rows,
    rowCount,
    bytes,
    rejected,
    partitions: { relation: 'order_items', days },
  }
}
