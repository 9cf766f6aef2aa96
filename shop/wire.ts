// Rows as GraphQL input, and the mutation each kind goes by. Money leaves as decimal text, time as RFC 3339 in UTC.
import type { DistributionCenter } from './catalogue-table.ts'
import type { Product } from './catalogue.ts'
import type { Kind, Rows } from './rows.ts'

export interface WireMutation<Row> {
  document: string
  toInput: (row: Row) => unknown
}

const time = (atMs: number) => new Date(atMs).toISOString()

/** Cents as decimal text, exact. */
export function money(cents: number): string {
  const text = String(Math.abs(cents)).padStart(3, '0')
  return `${cents < 0 ? '-' : ''}${text.slice(0, -2)}.${text.slice(-2)}`
}

const answer = '{ accepted duplicates rejected { index code path message } }'

function document(field: string, argument: string, type: string): string {
  return (
    `mutation ${field}($rows: ${type}!, $key: ID) { ` +
    `result: ${field}(${argument}: $rows, idempotencyKey: $key) ${answer} }`
  )
}

export const mutations: { [K in Kind]: WireMutation<Rows[K]> } = {
  users: {
    document: document('registerUsers', 'users', '[UserInput!]'),
    toInput: (user) => ({
      id: user.id,
      firstName: user.firstName,
      lastName: user.lastName,
      email: user.email,
      age: user.age,
      gender: user.gender,
      streetAddress: user.street,
      city: user.place.city,
      state: user.place.state,
      postalCode: user.place.postalCode,
      country: user.place.country,
      latitude: user.place.latitude,
      longitude: user.place.longitude,
      trafficSource: user.trafficSource,
      createdAt: time(user.atMs),
    }),
  },
  orders: {
    document: document('placeOrders', 'orders', '[OrderInput!]'),
    toInput: (order) => ({
      id: order.id,
      userId: order.userId,
      createdAt: time(order.atMs),
      items: order.items.map((item) => ({ productId: String(item.productId), salePrice: money(item.cents) })),
    }),
  },
  statuses: {
    document: document('changeOrderStatuses', 'changes', '[OrderStatusInput!]'),
    toInput: (change) => ({ orderId: change.orderId, status: change.to, at: time(change.atMs) }),
  },
  events: {
    document: document('ingestEvents', 'batch', 'EventBatch'),
    toInput: (event) => ({
      type: event.type,
      timestamp: time(event.atMs),
      userId: event.userId ?? undefined,
      sessionId: event.sessionId,
      sequenceNumber: event.sequence,
      country: event.place.country,
      state: event.place.state,
      city: event.place.city,
      postalCode: event.place.postalCode,
      ipAddress: event.ipAddress,
      browser: event.browser,
      trafficSource: event.trafficSource,
      uri: event.uri,
      amount: event.cents === null ? undefined : money(event.cents),
      properties: event.properties ?? undefined,
    }),
  },
  userMetrics: {
    document: document('recordUserMetrics', 'metrics', '[UserMetricInput!]'),
    toInput: (metric) => ({
      userId: metric.userId,
      pageViews: metric.pageViews,
      duration: metric.seconds,
      timestamp: time(metric.atMs),
    }),
  },
  messages: {
    document: document('postMessages', 'messages', '[MessageInput!]'),
    toInput: (message) => ({
      severity: message.severity,
      title: message.title,
      text: message.text,
      payload: message.payload,
      channel: message.channel,
      at: time(message.atMs),
    }),
  },
}

/** The catalogue's own two mutations: repeatable by nature, so without a key. */
export const catalogueMutations = {
  centers: {
    document:
      'mutation upsertDistributionCenters($rows: [DistributionCenterInput!]!) ' +
      `{ result: upsertDistributionCenters(centers: $rows) ${answer} }`,
    toInput: ({ id, name, latitude, longitude }: DistributionCenter) => ({
      id: String(id),
      name,
      latitude,
      longitude,
    }),
  },
  products: {
    document: `mutation upsertProducts($rows: [ProductInput!]!) { result: upsertProducts(products: $rows) ${answer} }`,
    toInput: (product: Product) => ({
      id: String(product.id),
      cost: money(product.costCents),
      category: product.category,
      // The API takes no product without name and brand; the few that have none are called this.
      name: product.name || 'Unnamed',
      brand: product.brand || 'Unbranded',
      retailPrice: money(product.cents),
      department: product.department,
      sku: product.sku,
      distributionCenterId: String(product.distributionCenterId),
    }),
  },
}
