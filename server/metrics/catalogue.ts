// The metric catalogue: what each number means, in words for people and in data for the machinery, which names no metric.
// A new metric is its SQL in sql/views and its entry here.
import type { Term } from './families.ts'
import type { Dimension, Direction, Metric, MetricKind, MetricUnit } from './names.ts'
import { MINUTE_MS } from './spans.ts'

export interface MetricEntry {
  metric: Metric
  title: string
  definition: string
  unit: MetricUnit
  kind: MetricKind
  upIs: Direction
  /** The tables it is computed from. */
  sources: readonly string[]
  dimensions: readonly Dimension[]
  /** The sum of these measures … */
  over: readonly Term[]
  /** … over the sum of these; without them it is a sum, and 0 where there is nothing. */
  under?: readonly Term[]
  /** Totals and breakdown look at this much time before windowEnd instead of the whole window. */
  trailingMs?: number
}

const EVENT_DIMENSIONS = ['COUNTRY', 'TRAFFIC_SOURCE', 'BROWSER', 'EVENT_TYPE'] as const
/** A share of one type of events to others makes no sense within a type. */
const VISIT_DIMENSIONS = ['COUNTRY', 'TRAFFIC_SOURCE', 'BROWSER'] as const
const USER_DIMENSIONS = ['COUNTRY', 'TRAFFIC_SOURCE', 'GENDER', 'AGE_BAND'] as const
const ITEM_DIMENSIONS = ['CATEGORY', 'DEPARTMENT', 'BRAND'] as const

const additive = { kind: 'ADDITIVE', unit: 'COUNT', upIs: 'GOOD' } as const
const ofEvents = { ...additive, sources: ['events'], dimensions: EVENT_DIMENSIONS } as const
const ofItems = {
  ...additive,
  sources: ['order_items'],
  dimensions: [...USER_DIMENSIONS, 'STATUS', ...ITEM_DIMENSIONS],
} as const
/** Measures that look at the status themselves: by status they would be all or nothing. */
const ofSettledItems = { ...ofItems, dimensions: [...USER_DIMENSIONS, ...ITEM_DIMENSIONS] } as const
const ratio = { kind: 'RATIO', unit: 'RATIO' } as const

export const catalogue: readonly MetricEntry[] = [
  {
    metric: 'EVENTS',
    title: 'Events',
    definition: 'Events of any type.',
    ...ofEvents,
    upIs: 'NEUTRAL',
    over: ['events.events'],
  },
  {
    metric: 'PAGE_VIEWS',
    title: 'Page views',
    definition: 'Events of type page_view, home, department, category, brand, product and cart.',
    ...ofEvents,
    over: ['events.page_views'],
  },
  {
    metric: 'CART_ADDS',
    title: 'Cart adds',
    definition: 'Events of type cart.',
    ...ofEvents,
    over: ['events.cart_adds'],
  },
  {
    metric: 'PURCHASES',
    title: 'Purchases',
    definition: 'Events of type purchase.',
    ...ofEvents,
    over: ['events.purchases'],
  },
  {
    metric: 'PURCHASE_AMOUNT',
    title: 'Purchase amount',
    definition: 'Sum of the amounts of the events of type purchase.',
    ...ofEvents,
    unit: 'MONEY',
    over: ['events.purchase_amount'],
  },
  {
    metric: 'SIGNUPS',
    title: 'Sign-ups',
    definition: 'Events of type signup.',
    ...ofEvents,
    over: ['events.signups'],
  },
  {
    metric: 'ERRORS',
    title: 'Errors',
    definition: 'Events of type error.',
    ...ofEvents,
    upIs: 'BAD',
    over: ['events.errors'],
  },
  {
    metric: 'ERROR_RATE',
    title: 'Error rate',
    definition: 'Errors / (errors + purchases): the share of checkouts that failed.',
    ...ratio,
    upIs: 'BAD',
    sources: ['events'],
    dimensions: VISIT_DIMENSIONS,
    over: ['events.errors'],
    under: ['events.errors', 'events.purchases'],
  },
  {
    metric: 'ACTIVE_USERS',
    title: 'Active users',
    definition:
      'Distinct sessions with any event: in totals and breakdown over the last 5 minutes, in points over the bucket. ' +
      'An event without a session counts as its user.',
    unit: 'COUNT',
    kind: 'DISTINCT',
    upIs: 'GOOD',
    sources: ['events'],
    dimensions: EVENT_DIMENSIONS,
    over: ['sessions.session_sketch'],
    trailingMs: 5 * MINUTE_MS,
  },
  {
    metric: 'CONVERSION_RATE',
    title: 'Conversion rate',
    definition: 'Distinct sessions with a purchase / distinct sessions.',
    ...ratio,
    upIs: 'GOOD',
    sources: ['events'],
    dimensions: VISIT_DIMENSIONS,
    over: ['sessions.buyer_sketch'],
    under: ['sessions.session_sketch'],
  },
  {
    metric: 'ORDERS',
    title: 'Orders',
    definition: "Orders, by the order's creation.",
    ...additive,
    sources: ['orders'],
    dimensions: [...USER_DIMENSIONS, 'STATUS'],
    over: ['orders.orders'],
  },
  {
    metric: 'ORDER_ITEMS',
    title: 'Order items',
    definition: "Items of orders, by the order's creation.",
    ...ofItems,
    over: ['order_items.order_items'],
  },
  {
    metric: 'REVENUE',
    title: 'Revenue',
    definition: 'Sum of the sale prices of all items.',
    ...ofItems,
    unit: 'MONEY',
    over: ['order_items.revenue'],
  },
  {
    metric: 'NET_REVENUE',
    title: 'Net revenue',
    definition: 'Sum of the sale prices of the items that are neither cancelled nor returned.',
    ...ofSettledItems,
    unit: 'MONEY',
    over: ['order_items.net_revenue'],
  },
  {
    metric: 'PROFIT',
    title: 'Profit',
    definition: 'Sum of sale price − product cost of the items in net revenue.',
    ...ofSettledItems,
    unit: 'MONEY',
    over: ['order_items.profit'],
  },
  {
    metric: 'AVERAGE_ORDER_VALUE',
    title: 'Average order value',
    definition: 'Revenue / orders.',
    kind: 'RATIO',
    unit: 'MONEY',
    upIs: 'GOOD',
    sources: ['order_items', 'orders'],
    dimensions: USER_DIMENSIONS,
    over: ['order_items.revenue'],
    under: ['orders.orders'],
  },
  {
    metric: 'RETURN_RATE',
    title: 'Return rate',
    definition: 'Items returned / items.',
    ...ratio,
    upIs: 'BAD',
    sources: ['order_items'],
    dimensions: ofSettledItems.dimensions,
    over: ['order_items.returned'],
    under: ['order_items.order_items'],
  },
  {
    metric: 'CANCELLATION_RATE',
    title: 'Cancellation rate',
    definition: 'Items cancelled / items.',
    ...ratio,
    upIs: 'BAD',
    sources: ['order_items'],
    dimensions: ofSettledItems.dimensions,
    over: ['order_items.cancelled'],
    under: ['order_items.order_items'],
  },
  {
    metric: 'USER_PAGE_VIEWS',
    title: 'Page views of users',
    definition: 'Sum of the page views that user metrics report.',
    ...additive,
    sources: ['user_metrics'],
    dimensions: [],
    over: ['user_metrics.page_views'],
  },
  {
    metric: 'AVERAGE_DURATION',
    title: 'Average duration',
    definition: 'Sum of duration / sum of page views: seconds a page view.',
    kind: 'RATIO',
    unit: 'SECONDS',
    upIs: 'GOOD',
    sources: ['user_metrics'],
    dimensions: [],
    over: ['user_metrics.duration'],
    under: ['user_metrics.page_views'],
  },
]

const entries = new Map(catalogue.map((entry) => [entry.metric, entry]))

/** The entry of a metric. */
export function entryOf(metric: Metric): MetricEntry {
  const entry = entries.get(metric)
  if (!entry) throw new Error(`${metric} has no entry in the catalogue`)
  return entry
}

export { DIMENSIONS, DIRECTIONS, METRIC_KINDS, METRIC_UNITS, METRICS } from './names.ts'
export type { Dimension, Direction, Metric, MetricKind, MetricUnit } from './names.ts'
