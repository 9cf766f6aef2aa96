// The names of metrics and dimensions: the same in the catalogue, the API's enums and the database's views.

export const METRICS = [
  'EVENTS',
  'PAGE_VIEWS',
  'CART_ADDS',
  'PURCHASES',
  'PURCHASE_AMOUNT',
  'SIGNUPS',
  'ERRORS',
  'ERROR_RATE',
  'ACTIVE_USERS',
  'CONVERSION_RATE',
  'ORDERS',
  'ORDER_ITEMS',
  'REVENUE',
  'NET_REVENUE',
  'PROFIT',
  'AVERAGE_ORDER_VALUE',
  'RETURN_RATE',
  'CANCELLATION_RATE',
  'USER_PAGE_VIEWS',
  'AVERAGE_DURATION',
] as const

export type Metric = (typeof METRICS)[number]

export const DIMENSIONS = [
  'COUNTRY',
  'TRAFFIC_SOURCE',
  'BROWSER',
  'EVENT_TYPE',
  'CATEGORY',
  'DEPARTMENT',
  'BRAND',
  'GENDER',
  'AGE_BAND',
  'STATUS',
] as const

export type Dimension = (typeof DIMENSIONS)[number]

export const METRIC_KINDS = ['ADDITIVE', 'RATIO', 'DISTINCT'] as const
export type MetricKind = (typeof METRIC_KINDS)[number]

export const METRIC_UNITS = ['COUNT', 'MONEY', 'RATIO', 'SECONDS'] as const
export type MetricUnit = (typeof METRIC_UNITS)[number]

/** Whether more is better. */
export const DIRECTIONS = ['GOOD', 'BAD', 'NEUTRAL'] as const
export type Direction = (typeof DIRECTIONS)[number]
