// Steps in the life of orders, as changeOrderStatuses takes them. Whether a step is possible is known under the row's lock.
import type { OrderStatusRow } from '../writer/tables/orderStatuses.ts'
import { checkEach, type CheckContext, type Checked, ROW_OVERHEAD_BYTES } from './checked.ts'
import { moment, orderStatus } from './orders.ts'
import { FieldReader, type InputRow } from './row.ts'
import { uuid } from './rules.ts'

/** Checks a call's status changes. `at` may lie before the order's creation: clocks of callers differ. */
export function checkOrderStatuses(inputs: readonly InputRow[], { now }: CheckContext): Checked<'orderStatuses'> {
  const rows: OrderStatusRow[] = []
  const rejected = checkEach(inputs, (row, index) => {
    const fields = new FieldReader(row)
    rows.push({
      index,
      orderId: fields.required('orderId', uuid),
      status: fields.required('status', orderStatus),
      at: fields.optional('at', moment(now)) ?? now.nowText,
    })
    return undefined
  })
  return { table: 'orderStatuses', rows, rowCount: rows.length, bytes: rows.length * ROW_OVERHEAD_BYTES * 3, rejected }
}
