// Which cards there are, and what each says beside its number. Titles, units and directions come from the catalogue.
import type { Metric } from '../api/generated/documents.ts'
import type { Format } from '../format.ts'
import type { MetricsFrame } from '../live/fold/metrics.ts'
import type { TimeWindow } from '../live/windows.ts'
import { readErrorTone } from './errorRate.ts'

export interface Card {
  metric: Metric
  /** The count its change stands on; by itself when it is one. */
  base?: Metric
  wide?: boolean
  detail?(read: (metric: Metric) => number | null, format: Format, window: TimeWindow): string | undefined
}

const MINUTE_MS = 60_000
const perMinute =
  (metric: Metric): Card['detail'] =>
  (read, format, { bucketMs, length }) => {
    const perMinute = ((read(metric) ?? 0) * MINUTE_MS) / (bucketMs * length)
    return `${perMinute < 10 ? perMinute.toFixed(1) : format.count(perMinute)} a minute`
  }

export const CARDS: readonly Card[] = [
  {
    metric: 'REVENUE',
    base: 'ORDER_ITEMS',
    wide: true,
    detail: (read, format) => {
      const average = read('AVERAGE_ORDER_VALUE')
      return average === null ? undefined : `${format.money(average)} an order`
    },
  },
  { metric: 'ORDERS', detail: perMinute('ORDERS') },
  {
    metric: 'ORDER_ITEMS',
    detail: (read) => {
      const orders = read('ORDERS')
      return orders ? `${((read('ORDER_ITEMS') ?? 0) / orders).toFixed(2)} an order` : undefined
    },
  },
  {
    metric: 'PURCHASES',
    detail: (read, format) => {
      const rate = read('CONVERSION_RATE')
      return rate === null ? undefined : `${format.percent(rate)} of visits`
    },
  },
  { metric: 'PAGE_VIEWS', detail: perMinute('PAGE_VIEWS') },
  { metric: 'ACTIVE_USERS', detail: () => 'in 5 minutes' },
  {
    metric: 'ERRORS',
    detail: (read, format) => {
      const rate = read('ERROR_RATE')
      return rate === null ? undefined : `${format.percent(rate)} of checkouts`
    },
  },
]

/** What is wrong with the errors of that window, in words; null when their rate is in line. */
export function readErrorAlarm({ totals }: MetricsFrame, format: Format): string | null {
  const errors = totals.get('ERRORS')?.value ?? 0
  const checkouts = errors + (totals.get('PURCHASES')?.value ?? 0)
  const previousRate = totals.get('ERROR_RATE')?.previous ?? null
  if (readErrorTone(errors, checkouts, previousRate) === 'normal') return null
  const usual = previousRate === null ? '' : `, was ${format.percent(previousRate)}`
  return `${format.percent(errors / checkouts)} of checkouts failed${usual}`
}
