// UserMetric: page views and time spent of one user, as measured by the site.
import type { Prisma } from '../../db/generated/prisma/client.ts'
import type { Builder } from '../builder.ts'
import { prismaOf } from '../prisma.ts'
import { addOrdering, between, oneOf, page, readUuid, type SharedInputs } from './inputs.ts'

export function addUserMetrics(builder: Builder, shared: SharedInputs): void {
  const Where = builder.inputType('UserMetricWhere', {
    description: 'Which measurements; everything given must hold.',
    fields: (t) => ({
      userMetricIds: t.idList({ description: 'These, by their own key.' }),
      userIds: t.idList({ description: 'Of one of these users.' }),
      createdAt: t.field({ type: shared.DateTimeRange, description: 'Taken within.' }),
    }),
  })
  const order = addOrdering(
    builder,
    shared,
    'UserMetric',
    {
      CREATED_AT: { value: 'createdAt', description: 'When they were taken.' },
      USER_METRIC_ID: { value: 'id', description: 'Their key.' },
    },
    'id',
  )
  const where = (given: typeof Where.$inferInput | null | undefined): Prisma.UserMetricWhereInput | undefined =>
    given
      ? {
          id: oneOf(given.userMetricIds, readUuid),
          userId: oneOf(given.userIds, readUuid),
          createdAt: between(given.createdAt),
        }
      : undefined

  builder.prismaNode('UserMetric', {
    description: 'Page views and time spent of one user.',
    id: { resolve: (metric) => metric.id, description: 'Global id, for node(id).' },
    findUnique: (id) => ({ id: readUuid(id) }),
    nullable: true,
    fields: (t) => ({
      userMetricId: t.exposeID('id', { description: 'Its key (UUID).' }),
      userId: t.exposeID('userId', { description: 'Key of the user.' }),
      pageViews: t.exposeInt('pageViews', { description: 'Pages seen.' }),
      duration: t.exposeInt('duration', { description: 'Time spent, in seconds.' }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was taken.' }),
      user: t.relation('user', { description: 'The user.' }),
    }),
  })

  builder.queryField('userMetrics', (t) =>
    t.prismaConnection({
      ...page,
      type: 'UserMetric',
      description: 'Measurements of users, newest first unless ordered otherwise.',
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
      totalCount: (_root, args, context) => prismaOf(context).userMetric.count({ where: where(args.where) }),
      resolve: (query, _root, args, context) =>
        prismaOf(context).userMetric.findMany({
          ...query,
          where: where(args.where),
          orderBy: order.read(args.orderBy),
        }),
    }),
  )
}
