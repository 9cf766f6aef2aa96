// DistributionCenter: where the stock lies.
import type { Builder } from '../builder.ts'
import { prismaOf } from '../prisma.ts'
import { addOrdering, oneOf, page, readKey, type SharedInputs } from './inputs.ts'

export function addDistributionCenters(builder: Builder, shared: SharedInputs): void {
  const Where = builder.inputType('DistributionCenterWhere', {
    description: 'Which distribution centres; everything given must hold.',
    fields: (t) => ({
      distributionCenterIds: t.idList({ description: 'These, by their own key.' }),
      names: t.stringList({ description: 'With one of these names.' }),
    }),
  })
  const order = addOrdering(
    builder,
    shared,
    'DistributionCenter',
    {
      DISTRIBUTION_CENTER_ID: { value: 'id', description: 'Their key.' },
      NAME: { value: 'name', description: 'Their name.' },
    },
    'id',
  )
  const where = (given: typeof Where.$inferInput | null | undefined) =>
    given ? { id: oneOf(given.distributionCenterIds, readKey), name: oneOf(given.names) } : undefined

  builder.prismaNode('DistributionCenter', {
    description: 'A place the shop sends its goods from.',
    id: { resolve: (center) => center.id, description: 'Global id, for node(id).' },
    findUnique: (id) => ({ id: readKey(id) }),
    nullable: true,
    fields: (t) => ({
      distributionCenterId: t.exposeID('id', { description: 'Its key (whole number).' }),
      name: t.exposeString('name', { description: 'Name.' }),
      latitude: t.exposeFloat('latitude', { description: 'Degrees north.' }),
      longitude: t.exposeFloat('longitude', { description: 'Degrees east.' }),
      products: t.relatedConnection('products', {
        ...page,
        description: 'What lies there, by key.',
        cursor: 'id',
        totalCount: true,
        query: { orderBy: { id: 'asc' } },
      }),
    }),
  })

  builder.queryField('distributionCenters', (t) =>
    t.prismaConnection({
      ...page,
      type: 'DistributionCenter',
      description: 'Distribution centres, by key unless ordered otherwise.',
      cursor: 'id',
      args: {
        where: t.arg({ type: Where, description: 'Which ones; all, if left out.' }),
        orderBy: t.arg({
          type: order.OrderBy,
          required: true,
          defaultValue: { field: 'id', direction: 'asc' },
          description: 'In which order.',
        }),
      },
      totalCount: (_root, args, context) => prismaOf(context).distributionCenter.count({ where: where(args.where) }),
      resolve: (query, _root, args, context) =>
        prismaOf(context).distributionCenter.findMany({
          ...query,
          where: where(args.where),
          orderBy: order.read(args.orderBy),
        }),
    }),
  )
}
