// What the shop asks and brings before it opens: is the catalogue there, who are the customers, which orders are open.
import type { Catalogue, Product } from './catalogue.ts'
import { type Client } from './client.ts'
import type { Geography } from './geography.ts'
import type { IngestResult } from './ledger.ts'
import type { OpenOrder } from './orders.ts'
import type { Person } from './people.ts'
import type { Gender, OrderStatus } from './rows.ts'
import { catalogueMutations, type WireMutation } from './wire.ts'

/** The shop cannot go on; the message says why and what to do. */
export class ShopError extends Error {
  override readonly name = 'ShopError'
}

const pageRows = 500
const batchRows = 2_000
const callsAtOnce = 3
const sampleProducts = 5

/** Sends the distribution centres and products, unless the server has these very products. Returns the products sent. */
export async function bringCatalogue(client: Client, catalogue: Catalogue): Promise<number> {
  if (await hasCatalogue(client, catalogue.products)) return 0
  await bring(client, catalogueMutations.centers, catalogue.centers)
  await bring(client, catalogueMutations.products, catalogue.products)
  return catalogue.products.length
}

async function hasCatalogue(client: Client, products: readonly Product[]): Promise<boolean> {
  const last = products.slice(-sampleProducts)
  const { all, sample } = await client.callUntilAnswered<{
    all: { totalCount: number }
    sample: { edges: { node: { productId: string; sku: string } }[] }
  }>(
    `query catalogue($ids: [ID!]!, $first: Int!) {
      all: products(first: 1) { totalCount }
      sample: products(first: $first, where: { productIds: $ids }) { edges { node { productId sku } } }
    }`,
    { ids: last.map((product) => String(product.id)), first: sampleProducts },
  )
  const skus = new Map(sample.edges.map(({ node }) => [node.productId, node.sku]))
  return all.totalCount >= products.length && last.every((product) => skus.get(String(product.id)) === product.sku)
}

async function bring<Row>(client: Client, mutation: WireMutation<Row>, rows: readonly Row[]): Promise<void> {
  const batches: Row[][] = []
  for (let from = 0; from < rows.length; from += batchRows) batches.push(rows.slice(from, from + batchRows))
  const sendNext = async (): Promise<void> => {
    for (let batch = batches.shift(); batch; batch = batches.shift()) {
      const variables = { rows: batch.map(mutation.toInput) }
      const { result } = await client.callUntilAnswered<{ result: IngestResult }>(mutation.document, variables)
      const [first] = result.rejected
      if (first) throw new ShopError(`The server rejects the catalogue: ${first.path.join('.')}: ${first.message}`)
    }
  }
  await Promise.all(Array.from({ length: callsAtOnce }, sendNext))
}

interface Connection<Node> {
  pageInfo: { hasNextPage: boolean; endCursor: string | null }
  edges: { node: Node }[]
}

/** Up to `max` nodes of a connection that a query names `page`. */
async function readPages<Node>(
  client: Client,
  document: string,
  variables: Record<string, unknown>,
  max: number,
): Promise<Node[]> {
  const nodes: Node[] = []
  let after: string | null = null
  while (nodes.length < max) {
    const first = Math.min(pageRows, max - nodes.length)
    const answer: { page: Connection<Node> } = await client.callUntilAnswered(document, { ...variables, first, after })
    nodes.push(...answer.page.edges.map(({ node }) => node))
    after = answer.page.pageInfo.endCursor
    if (!answer.page.pageInfo.hasNextPage) break
  }
  return nodes
}

interface UserNode {
  userId: string
  gender: Gender
  country: string
  state: string | null
  city: string | null
  postalCode: string | null
  latitude: number | null
  longitude: number | null
}

/** The newest customers the server has, up to `max`. */
export async function knownPeople(client: Client, geography: Geography, max: number): Promise<Person[]> {
  const users = await readPages<UserNode>(
    client,
    `query customers($first: Int!, $after: String) {
      page: users(first: $first, after: $after) {
        pageInfo { hasNextPage endCursor }
        edges { node { userId gender country state city postalCode latitude longitude } }
      }
    }`,
    {},
    max,
  )
  return users.map(({ userId: id, gender, country, state, city, postalCode, latitude, longitude }) => ({
    id,
    gender,
    place: geography.find(country, city) ?? {
      country,
      state: state ?? '',
      city: city ?? '',
      postalCode: postalCode ?? '',
      latitude: latitude ?? 0,
      longitude: longitude ?? 0,
      share: 0,
    },
  }))
}

/** When the newest order was placed, or null: the shop has never been open. */
export async function newestOrderMs(client: Client): Promise<number | null> {
  const { orders } = await client.callUntilAnswered<{ orders: { edges: { node: { createdAt: string } }[] } }>(
    'query newestOrder { orders(first: 1) { edges { node { createdAt } } } }',
    {},
  )
  const newest = orders.edges[0]
  return newest ? Date.parse(newest.node.createdAt) : null
}

interface OrderNode {
  orderId: string
  status: OrderStatus
  createdAt: string
  shippedAt: string | null
  deliveredAt: string | null
}

/** Orders that are on their way, oldest first, and those delivered that may still come back, newest first; `max` of each. */
export async function openOrders(client: Client, max: number): Promise<OpenOrder[]> {
  const document = `query openOrders($statuses: [OrderStatus!]!, $direction: SortOrder!, $first: Int!, $after: String) {
    page: orders(first: $first, after: $after, where: { statuses: $statuses },
                 orderBy: { field: CREATED_AT, direction: $direction }) {
      pageInfo { hasNextPage endCursor }
      edges { node { orderId status createdAt shippedAt deliveredAt } }
    }
  }`
  const read = (statuses: OrderStatus[], direction: 'ASC' | 'DESC') =>
    readPages<OrderNode>(client, document, { statuses, direction }, max)
  const orders = [...(await read(['PROCESSING', 'SHIPPED'], 'ASC')), ...(await read(['COMPLETE'], 'DESC'))]
  return orders.map(({ orderId, status, createdAt, shippedAt, deliveredAt }) => ({
    orderId,
    status,
    sinceMs: Date.parse(deliveredAt ?? shippedAt ?? createdAt),
    cents: 0,
    items: 0,
  }))
}
