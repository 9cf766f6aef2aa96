// What the page asks for: one place that names the streams, so that two panels that want the same share it.
import {
  BreakdownDocument,
  MessagesDocument,
  MetricsDocument,
  OrderItemsDocument,
  StatsDocument,
  type Dimension,
  type Metric,
  type StatsSubscription,
} from '../api/generated/documents.ts'
import { foldBreakdown } from './fold/breakdown.ts'
import { foldMessages } from './fold/messages.ts'
import { foldMetrics } from './fold/metrics.ts'
import { foldOrderItems } from './fold/orderItems.ts'
import { PULSE, TEN_SECONDS, type TimeWindow } from './windows.ts'

export type Stats = StatsSubscription['stats']

const EVERY = 'PT1S'

/** The metrics of a stream, in the order their values come in. */
export const OVERVIEW_METRICS = [
  'PAGE_VIEWS',
  'ORDERS',
  'ERRORS',
  'REVENUE',
  'ORDER_ITEMS',
  'PURCHASES',
  'ACTIVE_USERS',
  'ERROR_RATE',
  'CONVERSION_RATE',
  'AVERAGE_ORDER_VALUE',
] as const satisfies readonly Metric[]

export const PULSE_METRICS = [
  'REVENUE',
  'ORDERS',
  'ORDER_ITEMS',
  'PURCHASES',
  'PAGE_VIEWS',
  'ACTIVE_USERS',
  'ERRORS',
  'EVENTS',
] as const satisfies readonly Metric[]

export const ENGAGEMENT_METRICS = ['USER_PAGE_VIEWS', 'AVERAGE_DURATION'] as const satisfies readonly Metric[]

const metrics = (names: readonly Metric[], { duration, bucket }: { duration: string; bucket: string }) => ({
  document: MetricsDocument,
  variables: { metrics: [...names], window: duration, bucket, every: EVERY },
  fold: foldMetrics,
})

export const requests = {
  overview: (window: TimeWindow) => metrics(OVERVIEW_METRICS, window),
  pulse: () => metrics(PULSE_METRICS, PULSE),
  engagement: () => metrics(ENGAGEMENT_METRICS, TEN_SECONDS),
  revenueBy: (by: Dimension, { duration, bucket }: TimeWindow) => ({
    document: BreakdownDocument,
    variables: { metrics: ['REVENUE' as const], window: duration, bucket, by, top: 8, every: EVERY },
    fold: foldBreakdown,
  }),
  orderItems: () => ({
    document: OrderItemsDocument,
    variables: { lookback: 'PT5M', every: EVERY },
    fold: foldOrderItems,
  }),
  messages: () => ({ document: MessagesDocument, variables: {}, fold: foldMessages }),
  stats: (onStats: (stats: Stats) => void) => ({
    document: StatsDocument,
    variables: { every: EVERY },
    fold(_: Stats | undefined, { stats }: StatsSubscription): Stats {
      onStats(stats)
      return stats
    },
  }),
}
