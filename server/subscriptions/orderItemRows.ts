// The joined rows of sold items: order item, its buyer, and its piece of stock as it was when it came in.
import type pg from 'pg'
import type { Gender, OrderStatus } from '../db/generated/prisma/enums.ts'
import { LookoutError } from '../errors.ts'
import { fullXid, type Held, readAll, type RowSource, type Span, type StreamRow } from './source.ts'

/** OrderItemRow of the API; money as exact decimal text. */
export interface OrderItemRow extends StreamRow {
  orderId: string
  userId: string
  age: number | null
  gender: Gender | null
  country: string | null
  trafficSource: string | null
  category: string | null
  cost: string | null
  status: OrderStatus
  salePrice: string
}

const columns = `
  i.id, i.order_id as "orderId", i.user_id as "userId", u.age, u.gender, u.country, u.traffic_source as "trafficSource",
  v.product_category as category, v.cost, i.status, i.sale_price as "salePrice", i.created_at as "createdAt"`

const joins = `
  left join public.users u on u.id = i.user_id
  left join public.inventory_items v on v.id = i.inventory_item_id`

const all = `
  with here as materialized (select pg_catalog.pg_current_snapshot() as snapshot)
  select here.snapshot::text as "snapshotText", row.*
  from here
  left join lateral (
    select ${columns}
    from public.order_items i ${joins}
    where i.created_at >= $1
    order by i.created_at desc, i.id desc
    limit $2
  ) row on true`

const changed = `
  with here as materialized (select pg_catalog.pg_current_snapshot() as snapshot),
  spans as (select * from unnest($1::timestamptz[], $2::timestamptz[]) as span (first, past)),
  touched as (
    select i.*, ${fullXid('i.xmin', 'here.snapshot')} as xid
    from here, spans
    join public.order_items i on i.created_at >= spans.first and i.created_at < spans.past
  )
  select ${columns}
  from touched i ${joins}
  where pg_catalog.pg_visible_in_snapshot(i.xid, $4::pg_snapshot)
    and not pg_catalog.pg_visible_in_snapshot(i.xid, $3::pg_snapshot)
  order by i.created_at desc, i.id desc
  limit $5`

const keys = `
  select i.id
  from unnest($1::timestamptz[], $2::timestamptz[]) as span (first, past)
  join public.order_items i on i.created_at >= span.first and i.created_at < span.past
  limit $3`

const ends = (spans: Span[]) => [spans.map(({ first }) => first), spans.map(({ past }) => past)]

/** `rowsMax` bounds the rows a stream may hold: a longer window is refused. */
export function makeOrderItemRows(pool: pg.Pool, rowsMax: number): RowSource<OrderItemRow> {
  return {
    view: 'metrics.order_items_1s',
    bucketMs: 1000,
    async all(windowStart) {
      const { rows } = await pool.query<Held<OrderItemRow>>(all, [windowStart, rowsMax + 1])
      if (rows.length > rowsMax) {
        throw new LookoutError(
          'BAD_REQUEST',
          `More than ${rowsMax} rows are in this window; ask for a shorter lookback.`,
        )
      }
      return readAll(rows)
    },
    async changed(spans, since, upTo, max) {
      const { rows } = await pool.query<OrderItemRow>(changed, [...ends(spans), since, upTo, max + 1])
      return rows
    },
    async keys(spans, max) {
      const { rows } = await pool.query<{ id: string }>(keys, [...ends(spans), max + 1])
      return rows.map(({ id }) => id)
    },
    trim(rows, windowStart) {
      const gone: string[] = []
      for (const { id, createdAt } of rows.values()) if (createdAt < windowStart) gone.push(id)
      for (const id of gone) rows.delete(id)
      return gone
    },
  }
}
