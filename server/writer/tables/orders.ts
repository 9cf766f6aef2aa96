// Orders with their items and the inventory they sell: a few set-based reads, then COPY, whatever the number of orders.
import type pg from 'pg'
import type { Part, RejectedRow } from '../call.ts'
import { copyLine, copyLines, copyStatement, NULL_FIELD, optionalField, plainArray, textField } from '../copy.ts'
import { type Gender, readGenders } from './references.ts'

export type OrderStatus = 'PROCESSING' | 'SHIPPED' | 'COMPLETE' | 'CANCELLED' | 'RETURNED'

export interface OrderItemRow {
  id: string
  /** The caller named it, so it may be taken. */
  given: boolean
  productId: number
  /** null: the product's retail price. */
  salePrice: string | null
  inventoryItemId: string
  /** The caller named it, so it may be in stock already. */
  inventoryGiven: boolean
}

export interface OrderRow {
  /** Its place in the call. */
  index: number
  id: string
  /** The caller named it, so it may be a repeat. */
  given: boolean
  userId: string
  status: OrderStatus
  createdAt: string
  items: OrderItemRow[]
}

const COPY_ORDERS = copyStatement('orders', ['order_id', 'user_id', 'status', 'gender', 'created_at', 'num_of_item'])

const COPY_INVENTORY = copyStatement('inventory_items', [
  'id',
  'product_id',
  'created_at',
  'sold_at',
  'cost',
  'product_category',
  'product_name',
  'product_brand',
  'product_retail_price',
  'product_department',
  'product_sku',
  'product_distribution_center_id',
])

const COPY_ORDER_ITEMS = copyStatement('order_items', [
  'id',
  'order_id',
  'user_id',
  'product_id',
  'inventory_item_id',
  'status',
  'created_at',
  'sale_price',
])

const ORDERS = `select order_id from public.orders where order_id = any($1::uuid[])`

const PRODUCTS = `
  select id, cost, category, name, brand, retail_price, department, sku, distribution_center_id
  from public.products where id = any($1::int[])`

// Locked in the order of their ids, so that two groups selling the same pieces wait instead of dead-locking.
const INVENTORY = `
  select id, product_id, sold_at is not null as sold
  from public.inventory_items where id = any($1::uuid[]) order by id for no key update`

const ITEMS = `
  select id from public.order_items
  where (created_at, id) in (select * from unnest($1::timestamptz[], $2::uuid[]))`

const SELL = `
  update public.inventory_items as stock set sold_at = sale.sold_at
  from unnest($1::uuid[], $2::timestamptz[]) as sale (id, sold_at)
  where stock.id = sale.id`

interface Product {
  id: number
  cost: string
  category: string
  name: string | null
  brand: string | null
  retail_price: string
  department: string
  sku: string
  distribution_center_id: number
}

interface Stock {
  id: string
  product_id: number
  sold: boolean
}

/** What the orders of a group meet in the database; kept up to date while they are gone through one by one. */
interface Shelves {
  orderIds: Set<string>
  itemIds: Set<string>
  genders: Map<string, Gender>
  products: Map<number, Product>
  stock: Map<string, Stock>
}

async function readShelves(client: pg.ClientBase, orders: readonly OrderRow[]): Promise<Shelves> {
  const items = orders.flatMap((order) => order.items.map((item) => ({ item, createdAt: order.createdAt })))
  const read = async <Row extends pg.QueryResultRow>(text: string, ...lists: (string | number)[][]): Promise<Row[]> => {
    if (lists[0]?.length === 0) return []
    const found = await client.query<Row>(text, lists.map(plainArray))
    return found.rows
  }
  const givenOrders = orders.filter((order) => order.given).map((order) => order.id)
  const givenItems = items.filter(({ item }) => item.given)
  const givenStock = items.filter(({ item }) => item.inventoryGiven).map(({ item }) => item.inventoryItemId)
  const productIds = [...new Set(items.map(({ item }) => item.productId))]
  const taken = await read<{ order_id: string }>(ORDERS, givenOrders)
  const products = await read<Product>(PRODUCTS, productIds)
  const stock = await read<Stock>(INVENTORY, givenStock)
  const itemsTaken = await read<{ id: string }>(
    ITEMS,
    givenItems.map(({ createdAt }) => createdAt),
    givenItems.map(({ item }) => item.id),
  )
  return {
    orderIds: new Set(taken.map((order) => order.order_id)),
    itemIds: new Set(itemsTaken.map((item) => item.id)),
    genders: await readGenders(client, new Set(orders.map((order) => order.userId))),
    products: new Map(products.map((product) => [product.id, product])),
    stock: new Map(stock.map((piece) => [piece.id, piece])),
  }
}

/** Why an order cannot be placed; null where it can. */
function findFault(order: OrderRow, shelves: Shelves): RejectedRow | null {
  const fault = (code: RejectedRow['code'], path: string[], message: string): RejectedRow => ({
    index: order.index,
    code,
    path,
    message,
  })
  if (!shelves.genders.has(order.userId)) {
    return fault('UNKNOWN_REFERENCE', ['userId'], 'There is no user with this id.')
  }
  for (const [at, item] of order.items.entries()) {
    const path = (field: string) => ['items', String(at), field]
    if (!shelves.products.has(item.productId)) {
      return fault('UNKNOWN_REFERENCE', path('productId'), 'There is no product with this id.')
    }
    if (item.given && shelves.itemIds.has(item.id)) {
      return fault('INVALID', path('id'), 'id is taken by an item of another order.')
    }
    const piece = item.inventoryGiven ? shelves.stock.get(item.inventoryItemId) : undefined
    if (piece?.sold) return fault('INVALID', path('inventoryItemId'), 'This piece of inventory is sold already.')
    if (piece && piece.product_id !== item.productId) {
      return fault('INVALID', path('inventoryItemId'), 'This piece of inventory is of another product.')
    }
  }
  return null
}

/** The lines of a group, gathered order by order. */
interface Lines {
  orders: string[]
  inventory: string[]
  items: string[]
  soldIds: string[]
  soldAt: string[]
}

function sell(order: OrderRow, item: OrderItemRow, shelves: Shelves, lines: Lines): void {
  const product = shelves.products.get(item.productId) as Product
  if (shelves.stock.has(item.inventoryItemId)) {
    lines.soldIds.push(item.inventoryItemId)
    lines.soldAt.push(order.createdAt)
  } else {
    lines.inventory.push(
      copyLine([
        item.inventoryItemId,
        String(product.id),
        order.createdAt,
        order.createdAt,
        product.cost,
        textField(product.category),
        optionalField(product.name),
        optionalField(product.brand),
        product.retail_price,
        textField(product.department),
        textField(product.sku),
        String(product.distribution_center_id),
      ]),
    )
  }
  shelves.stock.set(item.inventoryItemId, { id: item.inventoryItemId, product_id: item.productId, sold: true })
}

function place(order: OrderRow, shelves: Shelves, lines: Lines): void {
  const { id, userId, status, createdAt, items } = order
  const gender = shelves.genders.get(userId) ?? NULL_FIELD
  lines.orders.push(copyLine([id, userId, status, gender, createdAt, String(items.length)]))
  for (const item of items) {
    sell(order, item, shelves, lines)
    const price = item.salePrice ?? (shelves.products.get(item.productId) as Product).retail_price
    lines.items.push(
      copyLine([item.id, id, userId, String(item.productId), item.inventoryItemId, status, createdAt, price]),
    )
    shelves.itemIds.add(item.id)
  }
  shelves.orderIds.add(id)
}

export async function writeOrders(client: pg.ClientBase, parts: readonly Part<OrderRow[]>[]): Promise<void> {
  const shelves = await readShelves(
    client,
    parts.flatMap(({ rows }) => rows),
  )
  const lines: Lines = { orders: [], inventory: [], items: [], soldIds: [], soldAt: [] }
  for (const { rows, result } of parts) {
    for (const order of rows) {
      if (shelves.orderIds.has(order.id)) {
        result.duplicates += 1
        continue
      }
      const fault = findFault(order, shelves)
      if (fault) {
        result.rejected.push(fault)
      } else {
        place(order, shelves, lines)
        result.accepted += 1
      }
    }
  }
  await copyLines(client, COPY_ORDERS, lines.orders)
  await copyLines(client, COPY_INVENTORY, lines.inventory)
  if (lines.soldIds.length > 0) await client.query(SELL, [plainArray(lines.soldIds), plainArray(lines.soldAt)])
  // Last, because the aggregates of items join the three others when items come in.
  await copyLines(client, COPY_ORDER_ITEMS, lines.items)
}
