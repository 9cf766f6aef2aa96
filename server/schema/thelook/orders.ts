// Order: what one user bought at once.
import type { Prisma } from '../../db/generated/prisma/client.ts'
import type { Builder } from '../builder.ts'
import { prismaOf } from '../prisma.ts'
import { addOrdering, between, oneOf, page, readUuid, type SharedInputs, within } from './inputs.ts'
import type { addUsers } from './users.ts'

export function addOrders(builder: Builder, shared: SharedInputs, users: ReturnType<typeof addUsers>): void {
  const { enums } = builder

  const Where = builder.inputType('OrderWhere', {
    description: 'Which orders; everything given must hold.',
    fields: (t) => ({
      orderIds: t.idList({ description: 'These, by their own key.' }),
      userIds: t.idList({ description: 'Placed by one of these users.' }),
      statuses: t.field({ type: [enums.OrderStatus], description: 'That stand at one of these.' }),
      genders: t.field({ type: [enums.Gender], description: 'Placed by users of one of these genders.' }),
      numOfItem: t.field({ type: shared.IntRange, description: 'Of this many items.' }),
      createdAt: t.field({ type: shared.DateTimeRange, description: 'Placed within.' }),
      user: t.field({ type: users.Where, description: 'Placed by users of whom this holds.' }),
    }),
  })
  const order = addOrdering(
    builder,
    shared,
    'Order',
    {
      CREATED_AT: { value: 'createdAt', description: 'When they were placed.' },
      ORDER_ID: { value: 'orderId', description: 'Their key.' },
    },
    'orderId',
  )
  const where = (given: typeof Where.$inferInput | null | undefined): Prisma.OrderWhereInput | undefined =>
    given
      ? {
          orderId: oneOf(given.orderIds, readUuid),
          userId: oneOf(given.userIds, readUuid),
          status: oneOf(given.statuses),
          gender: oneOf(given.genders),
          numOfItem: within(given.numOfItem),
          createdAt: between(given.createdAt),
          user: users.where(given.user),
        }
      : undefined

  builder.prismaNode('Order', {
    description: 'What a user bought at once.',
    id: { resolve: (row) => row.orderId, description: 'Global id, for node(id).' },
    findUnique: (id) => ({ orderId: readUuid(id) }),
    nullable: true,
    fields: (t) => ({
      orderId: t.exposeID('orderId', { description: 'Its key (UUID).' }),
      userId: t.exposeID('userId', { description: 'Key of the user who placed it.' }),
      status: t.expose('status', { type: enums.OrderStatus, description: 'Where it stands.' }),
      gender: t.expose('gender', { type: enums.Gender, description: "The user's gender when it was placed." }),
      numOfItem: t.exposeInt('numOfItem', { description: 'How many items it holds.' }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was placed.' }),
      shippedAt: t.expose('shippedAt', { type: 'DateTime', nullable: true, description: 'When it was sent.' }),
      deliveredAt: t.expose('deliveredAt', { type: 'DateTime', nullable: true, description: 'When it arrived.' }),
      returnedAt: t.expose('returnedAt', { type: 'DateTime', nullable: true, description: 'When it came back.' }),
      user: t.relation('user', { description: 'The user who placed it.' }),
      items: t.relation('items', {
        complexity: { field: 1, multiplier: 4 },
        description: 'Its items, by key.',
        query: { orderBy: { id: 'asc' } },
      }),
    }),
  })

  builder.queryField('orders', (t) =>
    t.prismaConnection({
      ...page,
      type: 'Order',
      description: 'Orders, newest first unless ordered otherwise.',
      cursor: 'orderId',
      args: {
        where: t.arg({ type: Where, description: 'Which ones; all, if left out.' }),
        orderBy: t.arg({
          type: order.OrderBy,
          required: true,
          defaultValue: { field: 'createdAt', direction: 'desc' },
          description: 'In which order.',
        }),
      },
      totalCount: (_root, args, context) => prismaOf(context).order.count({ where: where(args.where) }),
      resolve: (query, _root, args, context) =>
        prismaOf(context).order.findMany({ ...query, where: where(args.where), orderBy: order.read(args.orderBy) }),
    }),
  )
}
