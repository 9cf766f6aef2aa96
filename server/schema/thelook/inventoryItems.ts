// InventoryItem: one piece of stock, as the catalogue was when it came in.
import type { Prisma } from '../../db/generated/prisma/client.ts'
import type { Builder } from '../builder.ts'
import { prismaOf } from '../prisma.ts'
import { addOrdering, between, oneOf, page, readKey, readUuid, type SharedInputs, MONEY_DECIMALS } from './inputs.ts'

export function addInventoryItems(builder: Builder, shared: SharedInputs): void {
  const Where = builder.inputType('InventoryItemWhere', {
    description: 'Which pieces of stock; everything given must hold.',
    fields: (t) => ({
      inventoryItemIds: t.idList({ description: 'These, by their own key.' }),
      productIds: t.idList({ description: 'Of one of these products.' }),
      categories: t.stringList({ description: 'In one of these categories.' }),
      brands: t.stringList({ description: 'Of one of these brands.' }),
      departments: t.stringList({ description: 'For one of these departments.' }),
      distributionCenterIds: t.idList({ description: 'Kept at one of these centres.' }),
      sold: t.boolean({ description: 'Whether they are sold.' }),
      createdAt: t.field({ type: shared.DateTimeRange, description: 'That came in within.' }),
    }),
  })
  const order = addOrdering(
    builder,
    shared,
    'InventoryItem',
    {
      CREATED_AT: { value: 'createdAt', description: 'When they came in.' },
      INVENTORY_ITEM_ID: { value: 'id', description: 'Their key.' },
    },
    'id',
  )
  const where = (given: typeof Where.$inferInput | null | undefined): Prisma.InventoryItemWhereInput | undefined =>
    given
      ? {
          id: oneOf(given.inventoryItemIds, readUuid),
          productId: oneOf(given.productIds, readKey),
          productCategory: oneOf(given.categories),
          productBrand: oneOf(given.brands),
          productDepartment: oneOf(given.departments),
          productDistributionCenterId: oneOf(given.distributionCenterIds, readKey),
          soldAt: given.sold == null ? undefined : given.sold ? { not: null } : null,
          createdAt: between(given.createdAt),
        }
      : undefined

  builder.prismaNode('InventoryItem', {
    description: 'One piece of stock. What it says of its product is a copy taken when it came in.',
    id: { resolve: (item) => item.id, description: 'Global id, for node(id).' },
    findUnique: (id) => ({ id: readUuid(id) }),
    nullable: true,
    fields: (t) => ({
      inventoryItemId: t.exposeID('id', { description: 'Its key (UUID).' }),
      productId: t.exposeID('productId', { description: 'Key of its product.' }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it came in.' }),
      soldAt: t.expose('soldAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When it was sold; null: in stock.',
      }),
      cost: t.field({
        type: 'Decimal',
        description: 'What it cost the shop.',
        resolve: (row) => row.cost.toFixed(MONEY_DECIMALS),
      }),
      productCategory: t.exposeString('productCategory', { description: "Its product's category." }),
      productName: t.exposeString('productName', { nullable: true, description: "Its product's name." }),
      productBrand: t.exposeString('productBrand', { nullable: true, description: "Its product's brand." }),
      productRetailPrice: t.field({
        type: 'Decimal',
        description: "Its product's price.",
        resolve: (row) => row.productRetailPrice.toFixed(MONEY_DECIMALS),
      }),
      productDepartment: t.exposeString('productDepartment', { description: "Its product's department." }),
      productSku: t.exposeString('productSku', { description: "Its product's stock-keeping unit." }),
      productDistributionCenterId: t.exposeID('productDistributionCenterId', {
        description: 'Key of the centre it came to.',
      }),
      product: t.relation('product', { description: 'Its product, as the catalogue has it now.' }),
      distributionCenter: t.relation('distributionCenter', { description: 'The centre it came to.' }),
    }),
  })

  builder.queryField('inventoryItems', (t) =>
    t.prismaConnection({
      ...page,
      type: 'InventoryItem',
      description: 'Pieces of stock, newest first unless ordered otherwise.',
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
      totalCount: (_root, args, context) => prismaOf(context).inventoryItem.count({ where: where(args.where) }),
      resolve: (query, _root, args, context) =>
        prismaOf(context).inventoryItem.findMany({
          ...query,
          where: where(args.where),
          orderBy: order.read(args.orderBy),
        }),
    }),
  )
}
