// User: who buys, as theLook has them.
import type { Prisma } from '../../db/generated/prisma/client.ts'
import type { Builder } from '../builder.ts'
import { prismaOf } from '../prisma.ts'
import { addOrdering, between, oneOf, page, readUuid, type SharedInputs, within } from './inputs.ts'

export function addUsers(builder: Builder, shared: SharedInputs) {
  const { enums } = builder

  const Where = builder.inputType('UserWhere', {
    description: 'Which users; everything given must hold.',
    fields: (t) => ({
      userIds: t.idList({ description: 'These, by their own key.' }),
      emails: t.stringList({ description: 'With one of these addresses.' }),
      countries: t.stringList({ description: 'From one of these countries.' }),
      trafficSources: t.stringList({ description: 'Who came by one of these sources.' }),
      genders: t.field({ type: [enums.Gender], description: 'Of one of these genders.' }),
      age: t.field({ type: shared.IntRange, description: 'Of this age, in years.' }),
      createdAt: t.field({ type: shared.DateTimeRange, description: 'Who registered within.' }),
    }),
  })
  const order = addOrdering(
    builder,
    shared,
    'User',
    {
      CREATED_AT: { value: 'createdAt', description: 'When they registered.' },
      USER_ID: { value: 'id', description: 'Their key.' },
    },
    'id',
  )

  const where = (given: typeof Where.$inferInput | null | undefined): Prisma.UserWhereInput | undefined =>
    given
      ? {
          id: oneOf(given.userIds, readUuid),
          email: oneOf(given.emails),
          country: oneOf(given.countries),
          trafficSource: oneOf(given.trafficSources),
          gender: oneOf(given.genders),
          age: within(given.age),
          createdAt: between(given.createdAt),
        }
      : undefined

  builder.prismaNode('User', {
    description: 'Someone who registered with the shop.',
    id: { resolve: (user) => user.id, description: 'Global id, for node(id).' },
    findUnique: (id) => ({ id: readUuid(id) }),
    nullable: true,
    fields: (t) => ({
      userId: t.exposeID('id', { description: 'Their key (UUID).' }),
      firstName: t.exposeString('firstName', { description: 'First name.' }),
      lastName: t.exposeString('lastName', { description: 'Last name.' }),
      email: t.exposeString('email', { description: 'E-mail address.' }),
      age: t.exposeInt('age', { description: 'Age in years.' }),
      gender: t.expose('gender', { type: enums.Gender, description: 'Gender.' }),
      streetAddress: t.exposeString('streetAddress', { nullable: true, description: 'Street and number.' }),
      city: t.exposeString('city', { nullable: true, description: 'City.' }),
      state: t.exposeString('state', { nullable: true, description: 'State or region.' }),
      postalCode: t.exposeString('postalCode', { nullable: true, description: 'Postal code.' }),
      country: t.exposeString('country', { description: 'Country.' }),
      latitude: t.exposeFloat('latitude', { nullable: true, description: 'Degrees north.' }),
      longitude: t.exposeFloat('longitude', { nullable: true, description: 'Degrees east.' }),
      trafficSource: t.exposeString('trafficSource', { description: 'What brought them here first.' }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When they registered.' }),
      orders: t.relatedConnection('orders', {
        ...page,
        description: 'Their orders, newest first.',
        cursor: 'orderId',
        totalCount: true,
        query: { orderBy: [{ createdAt: 'desc' }, { orderId: 'desc' }] },
      }),
      orderItems: t.relatedConnection('orderItems', {
        ...page,
        description: 'What they bought, newest first.',
        cursor: 'createdAt_id',
        query: { orderBy: [{ createdAt: 'desc' }, { id: 'desc' }] },
      }),
      userMetrics: t.relatedConnection('userMetrics', {
        ...page,
        description: 'Page views and time spent as measured for them, newest first.',
        cursor: 'id',
        query: { orderBy: [{ createdAt: 'desc' }, { id: 'desc' }] },
      }),
    }),
  })

  builder.queryField('users', (t) =>
    t.prismaConnection({
      ...page,
      type: 'User',
      description: 'Users, newest first unless ordered otherwise.',
      cursor: 'id',
      args: {
        where: t.arg({ type: Where, description: 'Which ones; all, if left out.' }),
        orderBy: t.arg({
          type: order.OrderBy,
          required: true,
          defaultValue: { field: 'createdAt', direction: 'desc' },
          description: 'In which order.',
        }),
      },
      totalCount: (_root, args, context) => prismaOf(context).user.count({ where: where(args.where) }),
      resolve: (query, _root, args, context) =>
        prismaOf(context).user.findMany({ ...query, where: where(args.where), orderBy: order.read(args.orderBy) }),
    }),
  )

  return { Where, where }
}
