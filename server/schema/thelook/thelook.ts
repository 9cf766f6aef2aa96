// theLook as a graph: its types, their relations, and one connection a table.
import type { Builder } from '../builder.ts'
import { addDistributionCenters } from './distributionCenters.ts'
import { addEvents } from './events.ts'
import { addSharedInputs } from './inputs.ts'
import { addInventoryItems } from './inventoryItems.ts'
import { addMessages } from './messages.ts'
import { addOrderItems } from './orderItems.ts'
import { addOrders } from './orders.ts'
import { addProducts } from './products.ts'
import { addUserMetrics } from './userMetrics.ts'
import { addUsers } from './users.ts'

/** Adds theLook's types and connections; hands back the types that streams show too. */
export function addTheLook(builder: Builder) {
  const shared = addSharedInputs(builder)
  const users = addUsers(builder, shared)
  const products = addProducts(builder, shared)
  addDistributionCenters(builder, shared)
  addInventoryItems(builder, shared)
  addOrders(builder, shared, users)
  addOrderItems(builder, shared, users, products)
  addEvents(builder, shared)
  addUserMetrics(builder, shared)
  const { Message } = addMessages(builder, shared)
  return { Message }
}
