// Where numbers are read: each family's measures, and the relations that hold them, the cheapest to read first.
import type { Dimension } from './names.ts'
import { RAW_EVENTS, RAW_ORDER_ITEMS, RAW_SESSIONS } from './raw.ts'

/** What a family adds up. */
export interface Measure {
  /**
   * count: a whole number that adds up. money: numeric with two decimals, read as a whole number of cents, so that
   * sums in JavaScript stay exact. distinct: a sketch, which merges instead of adding up; read as its count.
   */
  kind: 'count' | 'money' | 'distinct'
}

interface RelationOf {
  /** The view whose name, with a level's after it, the change log knows: `metrics.events` and `_1s`. */
  view: string
  /** Column that holds a dimension's key. In a long relation every dimension has rows of its own: see `layout`. */
  columns: Partial<Record<Dimension, string>>
}

/**
 * wide: a continuous aggregate with one column a dimension; filters and `by` combine freely.
 * long: a continuous aggregate with one set of rows a dimension (column `dimension`, 'ALL' for none, and `key`): one
 * dimension at a time.
 * raw: a SELECT over the tables themselves with one row a row and the columns of a wide relation; answers what no
 * aggregate holds. `bounded`: refused where the window holds more raw rows than can be read in time.
 */
export type Relation =
  (RelationOf & { layout: 'wide' | 'long' }) | (RelationOf & { layout: 'raw'; select: string; bounded: boolean })

export interface Family {
  name: string
  measures: Record<string, Measure>
  relations: readonly Relation[]
}

const userColumns = {
  COUNTRY: 'country',
  TRAFFIC_SOURCE: 'traffic_source',
  GENDER: 'gender',
  AGE_BAND: 'age_band',
} as const satisfies Partial<Record<Dimension, string>>

const itemColumns = {
  CATEGORY: 'category',
  DEPARTMENT: 'department',
  BRAND: 'brand',
} as const satisfies Partial<Record<Dimension, string>>

const statusColumn = { STATUS: 'status' } as const

const eventColumns = {
  COUNTRY: 'country',
  TRAFFIC_SOURCE: 'traffic_source',
  BROWSER: 'browser',
  EVENT_TYPE: 'event_type',
} as const satisfies Partial<Record<Dimension, string>>

const count: Measure = { kind: 'count' }
const money: Measure = { kind: 'money' }
const distinct: Measure = { kind: 'distinct' }

export const families = {
  events: {
    name: 'events',
    measures: {
      events: count,
      page_views: count,
      cart_adds: count,
      purchases: count,
      purchase_amount: money,
      signups: count,
      errors: count,
    },
    relations: [
      { layout: 'long', view: 'metrics.events', columns: eventColumns },
      { layout: 'raw', view: 'metrics.events', columns: eventColumns, select: RAW_EVENTS, bounded: true },
    ],
  },
  sessions: {
    name: 'sessions',
    measures: { session_sketch: distinct, buyer_sketch: distinct },
    relations: [
      { layout: 'long', view: 'metrics.sessions', columns: eventColumns },
      { layout: 'raw', view: 'metrics.sessions', columns: eventColumns, select: RAW_SESSIONS, bounded: true },
    ],
  },
  orders: {
    name: 'orders',
    measures: { orders: count },
    relations: [{ layout: 'wide', view: 'metrics.orders', columns: { ...userColumns, ...statusColumn } }],
  },
  order_items: {
    name: 'order_items',
    measures: {
      order_items: count,
      revenue: money,
      net_revenue: money,
      profit: money,
      returned: count,
      cancelled: count,
    },
    relations: [
      { layout: 'wide', view: 'metrics.order_items', columns: { ...userColumns, ...statusColumn } },
      { layout: 'wide', view: 'metrics.order_items_by_product', columns: { ...itemColumns, ...statusColumn } },
      {
        layout: 'raw',
        view: 'metrics.order_items',
        columns: { ...userColumns, ...itemColumns, ...statusColumn },
        select: RAW_ORDER_ITEMS,
        bounded: false,
      },
    ],
  },
  user_metrics: {
    name: 'user_metrics',
    measures: { page_views: count, duration: count },
    relations: [{ layout: 'wide', view: 'metrics.user_metrics', columns: {} }],
  },
} as const satisfies Record<string, Family>

type Families = typeof families

/** A measure of a family, as `family.measure`. */
export type Term = { [F in keyof Families]: `${F}.${keyof Families[F]['measures'] & string}` }[keyof Families]

/** Splits a term into its family and the measure's name. */
export function readTerm(term: Term): { family: Family; measure: string } {
  const [family, measure] = term.split('.') as [keyof Families, string]
  return { family: families[family], measure }
}
