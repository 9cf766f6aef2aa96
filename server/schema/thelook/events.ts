// Event: one thing someone did on the site. Its key is (createdAt, id): the table is cut by day. Too many to count.
import type { Prisma } from '../../db/generated/prisma/client.ts'
import type { Builder } from '../builder.ts'
import { prismaOf } from '../prisma.ts'
import {
  addOrdering,
  between,
  oneOf,
  page,
  readTimedKey,
  readUuid,
  type SharedInputs,
  timedKey,
  MONEY_DECIMALS,
} from './inputs.ts'

export function addEvents(builder: Builder, shared: SharedInputs): void {
  const Where = builder.inputType('EventWhere', {
    description: 'Which events; everything given must hold. A span of createdAt makes any of them cheap.',
    fields: (t) => ({
      eventIds: t.idList({ description: 'These, by their own key.' }),
      types: t.stringList({ description: 'Of one of these types.' }),
      userIds: t.idList({ description: 'Of one of these users.' }),
      sessionIds: t.idList({ description: 'Of one of these sessions.' }),
      countries: t.stringList({ description: 'From one of these countries.' }),
      browsers: t.stringList({ description: 'With one of these browsers.' }),
      trafficSources: t.stringList({ description: 'By one of these sources.' }),
      createdAt: t.field({ type: shared.DateTimeRange, description: 'That happened within.' }),
    }),
  })
  const order = addOrdering(
    builder,
    shared,
    'Event',
    { CREATED_AT: { value: 'createdAt', description: 'When they happened.' } },
    'id',
  )
  const where = (given: typeof Where.$inferInput | null | undefined): Prisma.EventWhereInput | undefined =>
    given
      ? {
          id: oneOf(given.eventIds, readUuid),
          eventType: oneOf(given.types),
          userId: oneOf(given.userIds, readUuid),
          sessionId: oneOf(given.sessionIds, readUuid),
          country: oneOf(given.countries),
          browser: oneOf(given.browsers),
          trafficSource: oneOf(given.trafficSources),
          createdAt: between(given.createdAt),
        }
      : undefined

  builder.prismaNode('Event', {
    description: 'One thing someone did on the site.',
    id: { resolve: timedKey, description: 'Global id, for node(id).' },
    findUnique: (id) => ({ createdAt_id: readTimedKey(id) }),
    nullable: true,
    fields: (t) => ({
      eventId: t.exposeID('id', { description: 'Its key (UUID).' }),
      type: t.exposeString('eventType', { description: 'What happened: page_view, cart, purchase …' }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it happened.' }),
      userId: t.exposeID('userId', { nullable: true, description: 'Key of the user, where one is known.' }),
      sessionId: t.exposeID('sessionId', { nullable: true, description: 'Key of the visit it belongs to.' }),
      sequenceNumber: t.exposeInt('sequenceNumber', { nullable: true, description: 'Its place in the visit, from 1.' }),
      country: t.exposeString('country', { nullable: true, description: 'Country.' }),
      state: t.exposeString('state', { nullable: true, description: 'State or region.' }),
      city: t.exposeString('city', { nullable: true, description: 'City.' }),
      postalCode: t.exposeString('postalCode', { nullable: true, description: 'Postal code.' }),
      ipAddress: t.exposeString('ipAddress', { nullable: true, description: 'IP address.' }),
      browser: t.exposeString('browser', { nullable: true, description: 'Browser.' }),
      trafficSource: t.exposeString('trafficSource', { nullable: true, description: 'What brought them here.' }),
      uri: t.exposeString('uri', { nullable: true, description: 'The page.' }),
      amount: t.field({
        type: 'Decimal',
        nullable: true,
        description: "Money of the event: the order's total on a purchase.",
        resolve: ({ amount }) => amount?.toFixed(MONEY_DECIMALS),
      }),
      properties: t.expose('properties', { type: 'JSON', nullable: true, description: 'Whatever else was sent.' }),
    }),
  })

  builder.queryField('events', (t) =>
    t.prismaConnection({
      ...page,
      type: 'Event',
      description: 'Events, newest first unless ordered otherwise.',
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
      resolve: (query, _root, args, context) =>
        prismaOf(context).event.findMany({ ...query, where: where(args.where), orderBy: order.read(args.orderBy) }),
    }),
  )
}
