// OrderItem: one sold piece of an order. Its key is (createdAt, id): the table is cut by day.
import type { Prisma } from '../../db/generated/prisma/client.ts'
import type { Builder } from '../builder.ts'
import { prismaOf } from '../prisma.ts'
import {
  addOrdering,
  between,
  oneOf,
  page,
  readKey,
  readTimedKey,
  readUuid,
  type SharedInputs,
  timedKey,
  within,
  MONEY_DECIMALS,
} from './inputs.ts'
import type { addProducts } from './products.ts'
import type { addUsers } from './users.ts'

export function addOrderItems(
  builder: Builder,
  shared: SharedInputs,
  users: ReturnType<typeof addUsers>,
  products: ReturnType<typeof addProducts>,
): void {
  const { enums } = builder

  const Where = builder.inputType('OrderItemWhere', {
    description: 'Which order items; everything given must hold. A span of createdAt makes any of them cheap.',
    fields: (t) => ({
      itemIds: t.idList({ description: 'These, by their own key.' }),
      orderIds: t.idList({ description: 'Of one of these orders.' }),
      userIds: t.idList({ description: 'Bought by one of these users.' }),
      productIds: t.idList({ description: 'Of one of these products.' }),
      statuses: t.field({ type: [enums.OrderStatus], description: 'That stand at one of these.' }),
      salePrice: t.field({ type: shared.DecimalRange, description: 'Sold at this price.' }),
      createdAt: t.field({ type: shared.DateTimeRange, description: 'Bought within.' }),
      user: t.field({ type: users.Where, description: 'Bought by users of whom this holds.' }),
      product: t.field({ type: products.Where, description: 'Of products of which this holds.' }),
    }),
  })
  const order = addOrdering(
    builder,
    shared,
    'OrderItem',
    { CREATED_AT: { value: 'createdAt', description: 'When they were bought.' } },
    'id',
  )
  const where = (given: typeof Where.$inferInput | null | undefined): Prisma.OrderItemWhereInput | undefined =>
    given
      ? {
          id: oneOf(given.itemIds, readUuid),
          orderId: oneOf(given.orderIds, readUuid),
          userId: oneOf(given.userIds, readUuid),
          productId: oneOf(given.productIds, readKey),
          status: oneOf(given.statuses),
          salePrice: within(given.salePrice),
          createdAt: between(given.createdAt),
          user: users.where(given.user),
          product: products.where(given.product),
        }
      : undefined

  builder.prismaNode('OrderItem', {
    description: 'One piece of an order.',
    id: { resolve: timedKey, description: 'Global id, for node(id).' },
    findUnique: (id) => ({ createdAt_id: readTimedKey(id) }),
    nullable: true,
    fields: (t) => ({
      itemId: t.exposeID('id', { description: 'Its key (UUID).' }),
      orderId: t.exposeID('orderId', { description: 'Key of its order.' }),
      userId: t.exposeID('userId', { description: 'Key of the user who bought it.' }),
      productId: t.exposeID('productId', { description: 'Key of its product.' }),
      inventoryItemId: t.exposeID('inventoryItemId', { description: 'Key of the piece of stock that was sold.' }),
      status: t.expose('status', { type: enums.OrderStatus, description: 'Where it stands.' }),
      salePrice: t.field({
        type: 'Decimal',
        description: 'What was paid for it.',
        resolve: (row) => row.salePrice.toFixed(MONEY_DECIMALS),
      }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was bought.' }),
      shippedAt: t.expose('shippedAt', { type: 'DateTime', nullable: true, description: 'When it was sent.' }),
      deliveredAt: t.expose('deliveredAt', { type: 'DateTime', nullable: true, description: 'When it arrived.' }),
      returnedAt: t.expose('returnedAt', { type: 'DateTime', nullable: true, description: 'When it came back.' }),
      order: t.relation('order', { description: 'Its order.' }),
      user: t.relation('user', { description: 'The user who bought it.' }),
      product: t.relation('product', { description: 'Its product, as the catalogue has it now.' }),
      inventoryItem: t.relation('inventoryItem', { description: 'The piece of stock that was sold.' }),
    }),
  })

  builder.queryField('orderItems', (t) =>
    t.prismaConnection({
      ...page,
      type: 'OrderItem',
      description: 'Order items, newest first unless ordered otherwise.',
      cursor: 'createdAt_id',
      args: {
        where: t.arg({ type: Where, description: 'Which ones; all, if left out.' }),
        orderBy: t.arg({
          type: order.OrderBy,
          required: true,
          defaultValue: { field: 'createdAt', direction: 'desc' },
          description: 'In which order.',
        }),
      },
      totalCount: (_root, args, context) => prismaOf(context).orderItem.count({ where: where(args.where) }),
      resolve: (query, _root, args, context) =>
        prismaOf(context).orderItem.findMany({ ...query, where: where(args.where), orderBy: order.read(args.orderBy) }),
    }),
  )
}
