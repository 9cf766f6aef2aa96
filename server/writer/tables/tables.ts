// The table families in the order a group writes them: what others refer to comes first.
import type pg from 'pg'
import type { Part, RowsOf, TableFamily } from '../call.ts'
import { writeDistributionCenters } from './distributionCenters.ts'
import { writeEvents } from './events.ts'
import { writeMessages } from './messages.ts'
import { writeOrders } from './orders.ts'
import { writeOrderStatuses } from './orderStatuses.ts'
import { writeProducts } from './products.ts'
import { writeUserMetrics } from './userMetrics.ts'
import { writeUsers } from './users.ts'

type WriteTable<Rows> = (client: pg.ClientBase, parts: readonly Part<Rows>[]) => Promise<void>

const WRITE: { [T in TableFamily]: WriteTable<RowsOf[T]> } = {
  distributionCenters: writeDistributionCenters,
  products: writeProducts,
  users: writeUsers,
  orders: writeOrders,
  orderStatuses: writeOrderStatuses,
  events: writeEvents,
  userMetrics: writeUserMetrics,
  messages: writeMessages,
}

/** The parts of a transaction by table family. */
export type Parts = { [T in TableFamily]?: Part<RowsOf[T]>[] }

/** Writes all parts within the caller's transaction and fills in their results. */
export async function writeTables(client: pg.ClientBase, parts: Parts): Promise<void> {
  const write = async <T extends TableFamily>(table: T): Promise<void> => {
    const ofTable = parts[table]
    if (ofTable) await WRITE[table](client, ofTable)
  }
  for (const table of Object.keys(WRITE) as TableFamily[]) await write(table)
}
