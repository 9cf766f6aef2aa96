// Product: what is sold.
import type { Prisma } from '../../db/generated/prisma/client.ts'
import type { Builder } from '../builder.ts'
import { prismaOf } from '../prisma.ts'
import { addOrdering, literally, oneOf, page, readKey, type SharedInputs, within, MONEY_DECIMALS } from './inputs.ts'

export function addProducts(builder: Builder, shared: SharedInputs) {
  const Where = builder.inputType('ProductWhere', {
    description: 'Which products; everything given must hold.',
    fields: (t) => ({
      productIds: t.idList({ description: 'These, by their own key.' }),
      skus: t.stringList({ description: 'With one of these stock-keeping units.' }),
      categories: t.stringList({ description: 'In one of these categories.' }),
      brands: t.stringList({ description: 'Of one of these brands.' }),
      departments: t.stringList({ description: 'For one of these departments.' }),
      distributionCenterIds: t.idList({ description: 'Kept at one of these centres.' }),
      nameContains: t.string({ description: 'Whose name holds this text, in any case.' }),
      retailPrice: t.field({ type: shared.DecimalRange, description: 'At this price.' }),
    }),
  })
  const order = addOrdering(
    builder,
    shared,
    'Product',
    {
      PRODUCT_ID: { value: 'id', description: 'Their key.' },
      NAME: { value: 'name', description: 'Their name.' },
      RETAIL_PRICE: { value: 'retailPrice', description: 'What they sell for.' },
      COST: { value: 'cost', description: 'What they cost.' },
    },
    'id',
  )

  const where = (given: typeof Where.$inferInput | null | undefined): Prisma.ProductWhereInput | undefined =>
    given
      ? {
          id: oneOf(given.productIds, readKey),
          sku: oneOf(given.skus),
          category: oneOf(given.categories),
          brand: oneOf(given.brands),
          department: oneOf(given.departments),
          distributionCenterId: oneOf(given.distributionCenterIds, readKey),
          name: given.nameContains ? { contains: literally(given.nameContains), mode: 'insensitive' } : undefined,
          retailPrice: within(given.retailPrice),
        }
      : undefined

  builder.prismaNode('Product', {
    description: 'Something the shop sells.',
    id: { resolve: (product) => product.id, description: 'Global id, for node(id).' },
    findUnique: (id) => ({ id: readKey(id) }),
    nullable: true,
    fields: (t) => ({
      productId: t.exposeID('id', { description: 'Its key (whole number).' }),
      name: t.exposeString('name', { nullable: true, description: 'Name.' }),
      brand: t.exposeString('brand', { nullable: true, description: 'Brand.' }),
      category: t.exposeString('category', { description: 'Category.' }),
      department: t.exposeString('department', { description: 'Department.' }),
      sku: t.exposeString('sku', { description: 'Stock-keeping unit.' }),
      cost: t.field({
        type: 'Decimal',
        description: 'What it costs the shop.',
        resolve: (row) => row.cost.toFixed(MONEY_DECIMALS),
      }),
      retailPrice: t.field({
        type: 'Decimal',
        description: 'What it sells for.',
        resolve: (row) => row.retailPrice.toFixed(MONEY_DECIMALS),
      }),
      distributionCenterId: t.exposeID('distributionCenterId', { description: 'Key of the centre it lies at.' }),
      distributionCenter: t.relation('distributionCenter', { description: 'The centre it lies at.' }),
      inventoryItems: t.relatedConnection('inventoryItems', {
        ...page,
        description: 'Its pieces of stock, newest first.',
        cursor: 'id',
        totalCount: true,
        query: { orderBy: [{ createdAt: 'desc' }, { id: 'desc' }] },
      }),
      orderItems: t.relatedConnection('orderItems', {
        ...page,
        description: 'Its sales, newest first.',
        cursor: 'createdAt_id',
        query: { orderBy: [{ createdAt: 'desc' }, { id: 'desc' }] },
      }),
    }),
  })

  builder.queryField('products', (t) =>
    t.prismaConnection({
      ...page,
      type: 'Product',
      description: 'Products, by key unless ordered otherwise.',
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
      totalCount: (_root, args, context) => prismaOf(context).product.count({ where: where(args.where) }),
      resolve: (query, _root, args, context) =>
        prismaOf(context).product.findMany({ ...query, where: where(args.where), orderBy: order.read(args.orderBy) }),
    }),
  )

  return { Where, where }
}
