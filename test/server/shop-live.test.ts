// The shop against the real API: what it knows to have written is what the tables hold.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import type { Database } from '../../server/db/database.ts'
import { makeCatalogue, syntheticProducts } from '../../shop/catalogue.ts'
import { makeGeography } from '../../shop/geography.ts'
import type { Totals } from '../../shop/ledger.ts'
import { makeShop, type Shop, type ShopOptions } from '../../shop/shop.ts'
import { makeTestDatabase } from '../support/database.ts'

const catalogue = makeCatalogue(syntheticProducts().filter((product) => product.id % 50 === 1))
const geography = makeGeography()
const patience = { timeout: 60_000, interval: 50 }
const long = 120_000
let database: Database

beforeAll(async () => {
  database = await makeTestDatabase()
})
afterAll(() => database.close())

/** The server, a process of its own as the shop is one, on this file's database. */
async function startApi(port = 0) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'server/main.ts'], {
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: database.url,
      HOST: '127.0.0.1',
      PORT: String(port),
      LOOKOUT_SHOP: 'off',
      LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const close = async () => {
    child.kill('SIGTERM')
    await exited
  }
  onTestFinished(close)
  let output = ''
  const address = new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      const found = /GraphiQL +(http:\S+)\s/.exec(output)?.[1]
      if (found) resolve(found)
    })
    void exited.then(() => reject(new Error(`The server ended: ${output}`)))
  })
  const url = await address
  return { url, port: Number(new URL(url).port), close }
}

function openShop(url: string, options: Partial<ShopOptions>): Shop & { said: string[] } {
  const said: string[] = []
  const shop = makeShop(
    { url, catalogue, geography, say: (sentence) => said.push(sentence) },
    { firstUsers: 100, haste: 20, ...options },
  )
  onTestFinished(() => void shop.close())
  return { ...shop, said }
}

const select = async <Row>(sql: string, values: unknown[] = []): Promise<Row[]> =>
  (await database.pool.query(sql, values)).rows as Row[]
const number = async (sql: string, values: unknown[] = []) =>
  Number(Object.values((await select<Record<string, string>>(sql, values))[0]!)[0])

/** What the tables hold beyond what they held before, in the ledger's terms. */
async function readTables() {
  const types = await select<{ type: string; events: string }>(
    'select event_type as type, count(*) as events from events group by 1',
  )
  const statuses = await select<{ status: string; orders: string; items: string; cents: string }>(
    `select o.status, count(distinct o.order_id) as orders, count(*) as items, (sum(i.sale_price) * 100)::bigint as cents
       from orders o join order_items i using (order_id) group by 1`,
  )
  return {
    byType: Object.fromEntries(types.map(({ type, events }) => [type, Number(events)])),
    purchaseCents: await number('select coalesce(sum(amount) * 100, 0)::bigint from events'),
    byStatus: Object.fromEntries(
      statuses.map(({ status, orders, items, cents }) => [
        status,
        { orders: Number(orders), items: Number(items), cents: Number(cents) },
      ]),
    ),
    users: await number('select count(*) from users'),
    messages: await number('select count(*) from messages'),
    pageViews: await number('select coalesce(sum(page_views), 0) from user_metrics'),
    seconds: await number('select coalesce(sum(duration), 0) from user_metrics'),
  }
}

const inTablesTerms = (totals: Totals) => ({
  byType: totals.events.byType,
  purchaseCents: totals.events.purchaseCents,
  byStatus: Object.fromEntries(Object.entries(totals.orders.byStatus).filter(([, { orders }]) => orders > 0)),
  users: totals.rows.users.accepted,
  messages: totals.messages.SUCCESS + totals.messages.WARNING + totals.messages.DANGER,
  pageViews: totals.userMetrics.pageViews,
  seconds: totals.userMetrics.seconds,
})

const lost = (totals: Totals) => ({
  rejections: totals.rejections,
  unanswered: totals.unanswered,
  duplicates: Object.values(totals.rows).reduce((sum, tally) => sum + tally.duplicates, 0),
})
const nothing = { rejections: [], unanswered: 0, duplicates: 0 }

// The speed at which an order's eleven days at most take five seconds.
const speed = (11 * 86_400) / 5

test(
  'writes a past, goes on live with late rows and status changes, and every row is in its table',
  async () => {
    const api = await startApi()
    const shop = openShop(api.url, { ratePerSecond: 40, backfillMs: 60_000, speed, lateShare: 0.1, lateMs: 2_000 })
    await shop.live
    expect(shop.said).toEqual([`Sent ${catalogue.products.length} products and 10 distribution centres.`])
    const liveFrom = shop.totals().orders.count
    await vi.waitFor(() => expect(shop.totals().orders.count).toBeGreaterThan(liveFrom + 10), patience)
    const totals = await shop.close({ withinMs: 60_000 })

    expect(lost(totals)).toEqual(nothing)
    expect(await readTables()).toEqual(inTablesTerms(totals))
    expect(totals.orders.byStatus.RETURNED.orders).toBeGreaterThan(0)
    expect(await number('select count(*) from events where created_at > clock_timestamp()')).toBe(0)
    const purchases = `select count(*) from events e join orders o on o.order_id = (e.properties->>'orderId')::uuid
      where e.event_type = 'purchase' and e.created_at = o.created_at and e.user_id = o.user_id
        and e.amount = (select sum(sale_price) from order_items i where i.order_id = o.order_id)`
    expect(await number(purchases)).toBe(totals.orders.count)
    await api.close()
  },
  long,
)

test(
  'started again, keeps catalogue and customers, fills the gap alone, and goes on with open orders',
  async () => {
    const api = await startApi()
    const [before] = await select<{ users: string; newest: Date }>(
      'select (select count(*) from users) as users, max(created_at) as newest from orders',
    )
    const open = await select<{ order_id: string }>("select order_id from orders where status = 'PROCESSING'")
    const shop = openShop(api.url, { ratePerSecond: 40, backfillMs: 3_600_000, speed, seed: 2 })
    await shop.live
    await vi.waitFor(async () => {
      const left = `select count(*) from orders where status = 'PROCESSING' and order_id = any($1)`
      expect(await number(left, [open.map((order) => order.order_id)])).toBe(0)
    }, patience)
    const totals = await shop.close({ withinMs: 60_000 })

    expect(open.length).toBeGreaterThan(0)
    expect(shop.said).toEqual([])
    expect(lost(totals)).toEqual(nothing)
    expect(totals.rows.users.accepted).toBe(totals.events.byType.signup ?? 0)
    expect(await number('select count(*) from users')).toBe(Number(before!.users) + totals.rows.users.accepted)
    expect(await number('select count(*) from orders where created_at > $1', [before!.newest])).toBe(
      totals.orders.count,
    )
    await api.close()
  },
  long,
)

test(
  'loses nothing and doubles nothing while the server is away',
  async () => {
    const before = await readTables()
    const first = await startApi()
    const shop = openShop(first.url, { ratePerSecond: 100, seed: 3 })
    await shop.live
    await vi.waitFor(() => expect(shop.status().rowsAcknowledged).toBeGreaterThan(100), patience)
    await first.close()
    await vi.waitFor(() => expect(shop.status().trouble).toContain('UNREACHABLE'), patience)
    const stood = shop.status()
    await vi.waitFor(() => expect(shop.status().backlogRows).toBeGreaterThan(stood.backlogRows + 100), patience)
    await startApi(first.port)
    await vi.waitFor(() => expect(shop.status().trouble).toBeNull(), patience)
    const totals = await shop.close({ withinMs: 60_000 })

    expect(lost(totals)).toEqual(nothing)
    const after = await readTables()
    const events = (tables: typeof after) => Object.values(tables.byType).reduce((sum, count) => sum + count, 0)
    expect(events(after) - events(before)).toBe(totals.rows.events.accepted)
    expect(after.purchaseCents - before.purchaseCents).toBe(totals.events.purchaseCents)
  },
  long,
)
