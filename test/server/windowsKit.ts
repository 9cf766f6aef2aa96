// What tests of windows share: a shop's rows written straight into the tables, a clock that is set by hand, and a client
// that holds a window together from its messages.
import { randomUUID } from 'node:crypto'
import { pino } from 'pino'
import { vi } from 'vitest'
import { makeChanges } from '../../server/changes/changes.ts'
import type { Database } from '../../server/db/index.ts'
import {
  makeWindows,
  type MetricsUpdate,
  type WindowArguments,
  type WindowLimits,
} from '../../server/windows/windows.ts'
import { makeTestDatabase } from '../support/database.ts'

const HOUR_MS = 3_600_000
const log = pino({ level: 'silent' })

export interface EventRow {
  at: number
  type?: string
  session?: string | null
  user?: string | null
  country?: string | null
  browser?: string | null
  source?: string | null
  amount?: number | null
  sequence?: number
}

export interface ItemRow {
  at: number
  user: string
  status?: string
  price?: number
  cost?: number
  category?: string
  department?: string
  brand?: string | null
}

export interface UserRow {
  country?: string
  source?: string
  gender?: string
  age?: number
}

/** The shop's rows. Times are milliseconds. */
export function makeShop({ pool }: Pick<Database, 'pool'>) {
  let ids = 0
  return {
    /** Makes partitions for days. */
    async open(fromMs: number, toMs: number) {
      for (const table of ['events', 'order_items']) {
        await pool.query(`select cagg.ensure_partitions($1::regclass, $2, $3)`, [
          `public.${table}`,
          new Date(fromMs),
          new Date(toMs),
        ])
      }
      await pool.query(
        `insert into distribution_centers (id, name, latitude, longitude) values (1, 'Memphis TN', 35, -90) on conflict do nothing`,
      )
    },

    async clear() {
      await pool.query('truncate events, order_items, orders, inventory_items, products, user_metrics, users')
    },

    async addEvents(rows: EventRow[]): Promise<string[]> {
      const given = rows.map((row) => ({ id: randomUUID(), ...row }))
      await pool.query(
        `insert into events (id, created_at, event_type, session_id, user_id, country, browser, traffic_source, amount, sequence_number)
         select * from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::numeric[], $10::int[])`,
        [
          given.map(({ id }) => id),
          given.map(({ at }) => new Date(at)),
          given.map(({ type = 'page_view' }) => type),
          given.map(({ session = null }) => session),
          given.map(({ user = null }) => user),
          given.map(({ country = null }) => country),
          given.map(({ browser = null }) => browser),
          given.map(({ source = null }) => source),
          given.map(({ amount = null }) => amount),
          given.map(({ sequence = null }) => sequence),
        ],
      )
      return given.map(({ id }) => id)
    },

    async addUser({ country = 'Germany', source = 'Search', gender = 'F', age = 30 }: UserRow = {}): Promise<string> {
      const id = randomUUID()
      await pool.query(
        `insert into users (id, first_name, last_name, email, age, gender, country, traffic_source, created_at)
         values ($1, 'A', 'B', 'a@example.com', $2, $3, $4, $5, now())`,
        [id, age, gender, country, source],
      )
      return id
    },

    /** One order with one item. */
    async addOrder({
      at,
      user,
      status = 'PROCESSING',
      price = 10,
      cost = 4,
      category = 'Jeans',
      department = 'Men',
      brand = 'Acme',
    }: ItemRow): Promise<string> {
      const [order, item, piece, product] = [randomUUID(), randomUUID(), randomUUID(), ++ids]
      const created = new Date(at)
      const client = await pool.connect()
      try {
        await client.query('begin')
        await client.query(
          `insert into products (id, cost, category, name, brand, retail_price, department, sku, distribution_center_id)
           values ($1, $2, $3, 'Thing', $4, $5, $6, 'SKU', 1)`,
          [product, cost, category, brand, price, department],
        )
        await client.query(
          `insert into inventory_items (id, product_id, created_at, cost, product_category, product_name, product_brand,
             product_retail_price, product_department, product_sku, product_distribution_center_id)
           values ($1, $2, $3, $4, $5, 'Thing', $6, $7, $8, 'SKU', 1)`,
          [piece, product, created, cost, category, brand, price, department],
        )
        await client.query(
          `insert into orders (order_id, user_id, status, gender, created_at, num_of_item) values ($1, $2, $3, 'F', $4, 1)`,
          [order, user, status, created],
        )
        await client.query(
          `insert into order_items (id, order_id, user_id, product_id, inventory_item_id, status, created_at, sale_price)
           values ($1, $2, $3, $4, $5, $6, $7, $8)`,
          [item, order, user, product, piece, status, created, price],
        )
        await client.query('commit')
      } finally {
        client.release()
      }
      return order
    },

    async setStatus(order: string, status: string) {
      await pool.query(
        `with moved as (update orders set status = $2 where order_id = $1) update order_items set status = $2 where order_id = $1`,
        [order, status],
      )
    },

    /** Ages the change log until it is trimmed; transactions of other databases may hold that up for a moment. */
    async trimChangeLog() {
      await vi.waitFor(async () => {
        // The first run brings what waits in the tails into the log.
        await pool.query('select cagg.run_maintenance()')
        await pool.query(`update cagg._changes set written_at = written_at - interval '2 hours'`)
        await pool.query('select cagg.run_maintenance()')
        const { rows } = await pool.query('select from cagg._changes')
        if (rows.length > 0) throw new Error('the change log is not trimmed yet')
      })
    },

    async addUserMetric(at: number, user: string, pageViews: number, duration: number) {
      await pool.query(
        'insert into user_metrics (id, user_id, page_views, duration, created_at) values ($1, $2, $3, $4, $5)',
        [randomUUID(), user, pageViews, duration, new Date(at)],
      )
    },
  }
}

export type Shop = ReturnType<typeof makeShop>

/** A database of its own with the whole flow from the change log on, and a clock that stands still until it is set. */
export async function makeWindowsWorld(options: Partial<WindowLimits> = {}) {
  const database = await makeTestDatabase()
  const shop = makeShop(database)
  // The last full hour: well inside what is kept by second.
  const start = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - HOUR_MS
  await shop.open(start - 48 * HOUR_MS, start + 24 * HOUR_MS)
  let now = start
  const clock = () => now
  const changes = await makeChanges({ database, log }, { pollIntervalMs: 20 })
  const windows = makeWindows({ database, changes, log, clock }, options)
  return {
    database,
    shop,
    start,
    changes,
    windows,
    clock,
    log,
    /** Sets the clock to this many milliseconds after `start`. */
    setClock(ms: number) {
      now = start + ms
    },
    /** Once the follower of the change log has seen all that is committed. */
    async seen() {
      await vi.waitFor(async () => {
        const missed = await changes.since(changes.cursor())
        if (missed === 'expired' || missed.changes.length > 0) throw new Error('there is more to see')
      })
    },
    async close() {
      await windows.close()
      await changes.close()
      await database.close()
    },
  }
}

/** Arguments with the defaults of the API. */
export const asking = (asked: Partial<WindowArguments> & Pick<WindowArguments, 'metrics'>): WindowArguments => ({
  windowMs: 60_000,
  top: 10,
  filter: [],
  ...asked,
})

/** A client: what it knows of a window after the messages it got. */
export function makeView() {
  let points = new Map<string, { bucket: number; key: string | null; values: (number | null)[] }>()
  let last: MetricsUpdate | undefined
  return {
    take(message: MetricsUpdate) {
      if (message.kind === 'SNAPSHOT') points = new Map()
      for (const { bucket, key, values } of message.points) {
        points.set(`${bucket.getTime()} ${JSON.stringify(key)}`, { bucket: bucket.getTime(), key, values })
      }
      for (const [id, { bucket }] of points) if (bucket < message.windowStart.getTime()) points.delete(id)
      last = message
    },
    /** Everything shown; a point of nothings is no point. */
    shown: () => ({
      totals: last?.totals.map(({ metric, value }) => ({ metric, value })),
      breakdown: last?.breakdown,
      points: [...points.values()]
        .filter(({ values }) => values.some((value) => value))
        .sort((a, b) => a.bucket - b.bucket || (String(a.key) < String(b.key) ? -1 : 1)),
    }),
    last: () => last,
  }
}

export const totalsOf = (message: MetricsUpdate): (number | null)[] => message.totals.map(({ value }) => value)
