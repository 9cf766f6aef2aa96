// Truth end to end: what the shop sent = what the tables hold = what the aggregates say = what a subscription said = what the page shows.
// TRUTH_SECONDS sets how long the shop is open; `npm run test:truth` takes a minute.
import { createClient, type Client } from 'graphql-ws'
import pg from 'pg'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { openBrowser } from '../../scripts/browser.ts'
import { makeCatalogue, syntheticProducts } from '../../shop/catalogue.ts'
import { makeGeography } from '../../shop/geography.ts'
import type { Totals } from '../../shop/ledger.ts'
import { makeShop } from '../../shop/shop.ts'
import { makeDataDir, type ServerProcess, startServer } from '../support/server.ts'

const liveMs = Number(process.env['TRUTH_SECONDS'] ?? 20) * 1_000
const sessionsPerSecond = 500
const metrics = [
  'EVENTS',
  'PAGE_VIEWS',
  'CART_ADDS',
  'PURCHASES',
  'PURCHASE_AMOUNT',
  'SIGNUPS',
  'ERRORS',
  'ORDERS',
  'ORDER_ITEMS',
  'REVENUE',
  'NET_REVENUE',
  'USER_PAGE_VIEWS',
  'AVERAGE_DURATION',
]

interface Update {
  kind: 'SNAPSHOT' | 'DELTA'
  cursor: string
  previousCursor: string | null
  totals: { metric: string; value: number | null }[]
  points: { bucket: string; values: (number | null)[] }[]
}

const dataDir = makeDataDir()
let server: ServerProcess
let database: pg.Client
let browser: Browser
let page: Page

beforeAll(async () => {
  server = await startServer({ LOOKOUT_DATA_DIR: dataDir.path })
  database = new pg.Client({ connectionString: server.databaseUrl })
  await database.connect()
  browser = await openBrowser()
  page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
})

afterAll(async () => {
  await browser?.close()
  await database?.end()
  await server?.stop()
  dataDir.remove()
})

it(
  'is one truth from the mutation to the page, with 500 sessions a second, late rows, status changes and a reconnect',
  { timeout: 110_000 + liveMs },
  async () => {
    await page.goto(`${server.url}/?window=1h`)
    const follower = follow(`${server.url.replace('http', 'ws')}/graphql`)
    const shop = makeShop(
      { url: `${server.url}/graphql`, catalogue: makeCatalogue(syntheticProducts()), geography: makeGeography() },
      { ratePerSecond: sessionsPerSecond, seed: 'truth', speed: 5_000, haste: 6, lateShare: 0.05, lateMs: 40_000 },
    )
    await shop.live
    await new Promise((resolve) => setTimeout(resolve, liveMs / 2))
    follower.cut()
    await new Promise((resolve) => setTimeout(resolve, liveMs / 2))
    const sent = await shop.close({ withinMs: 20_000 })

    // The shop wrote what it was meant to write, and was told so.
    expect(sent.unanswered).toBe(0)
    expect(sent.rejections).toEqual([])
    expect(sent.rows.events.accepted).toBeGreaterThan(liveMs * 0.001 * sessionsPerSecond)
    expect(sent.rows.statuses.accepted).toBeGreaterThan((100 * liveMs) / 60_000)
    expect(sent.orders.byStatus.SHIPPED.orders + sent.orders.byStatus.COMPLETE.orders).toBeGreaterThan(0)

    // = the tables
    expect(await readTables()).toEqual(inTables(sent))

    // = the aggregates, every one of them
    const { rows: drifts } = await database.query(
      'select view_name, cagg.drift(view_name)::int as drift from cagg.continuous_aggregates',
    )
    expect(drifts).toHaveLength(28)
    expect(drifts.filter(({ drift }) => drift !== 0)).toEqual([])

    // = what the subscription said: its totals, and the sum of all the points it sent, over a cut
    const said = inMetrics(sent)
    await expect.poll(() => follower.totals(), { timeout: 10_000 }).toMatchObject(said)
    expect(follower.sums(['EVENTS', 'ORDERS', 'ORDER_ITEMS', 'REVENUE', 'USER_PAGE_VIEWS'])).toEqual({
      EVENTS: said.EVENTS,
      ORDERS: said.ORDERS,
      ORDER_ITEMS: said.ORDER_ITEMS,
      REVENUE: said.REVENUE,
      USER_PAGE_VIEWS: said.USER_PAGE_VIEWS,
    })
    expect(follower.reconnects()).toBe(1)
    expect(follower.faults()).toEqual([])
    await follower.close()

    // = what the page shows
    for (const [title, metric] of [
      ['Page views', 'PAGE_VIEWS'],
      ['Purchases', 'PURCHASES'],
      ['Revenue', 'REVENUE'],
      ['Orders', 'ORDERS'],
      ['Order items', 'ORDER_ITEMS'],
    ] as const)
      await expect.poll(() => shownOn(title), { timeout: 15_000, message: `the card ${title}` }).toBe(said[metric])
  },
)

/** The number behind a card's text. */
async function shownOn(title: string): Promise<number | null> {
  const card = page.locator('article', { has: page.getByRole('heading', { name: new RegExp(`^${title}$`, 'i') }) })
  const value = await card
    .locator('data')
    .getAttribute('value', { timeout: 1_000 })
    .catch(() => null)
  return value === null || value === '' ? null : Number(value)
}

/** A client that folds snapshots and deltas, checks that they follow on each other, and resumes by cursor when it is cut off. */
function follow(url: string) {
  const points = new Map<string, (number | null)[]>()
  const faults: string[] = []
  let totals: Record<string, number | null> = {}
  let cursor: string | null = null
  let socket: WebSocket | null = null
  let opened = 0
  const variables: { metrics: string[]; after: string | null } = { metrics, after: null }
  const client: Client = createClient({
    url,
    webSocketImpl: WebSocket,
    retryAttempts: 20,
    shouldRetry: () => true,
    on: {
      opened(raw) {
        socket = raw as WebSocket
        opened++
      },
    },
  })
  const stop = client.subscribe<{ metrics: Update }>(
    {
      query: `subscription follow($metrics: [Metric!]!, $after: Cursor) {
        metrics(metrics: $metrics, window: "PT1H", bucket: "PT10S", every: "PT0.25S", after: $after) {
          kind cursor previousCursor totals { metric value } points { bucket values }
        }
      }`,
      variables,
    },
    {
      next({ data, errors }) {
        if (errors || !data) return void faults.push(JSON.stringify(errors))
        const update = data.metrics
        if (update.kind === 'SNAPSHOT') points.clear()
        else if (update.previousCursor !== cursor) faults.push(`a gap: ${update.previousCursor} after ${cursor}`)
        if (update.kind === 'SNAPSHOT' && cursor !== null) faults.push('a snapshot where a delta was due')
        for (const { bucket, values } of update.points) points.set(bucket, values)
        totals = Object.fromEntries(update.totals.map(({ metric, value }) => [metric, value]))
        cursor = update.cursor
        // graphql-ws subscribes again with the variables it was given: the resumed stream begins where this one is.
        variables.after = cursor
      },
      error: (error) => void faults.push(String(error)),
      complete: () => {},
    },
  )
  return {
    cut: () => socket?.terminate(),
    totals: () => totals,
    sums(of: string[]) {
      const sum = (metric: string) =>
        [...points.values()].reduce(
          (total, values) => total + Math.round((values[metrics.indexOf(metric)] ?? 0) * 100),
          0,
        ) / 100
      return Object.fromEntries(of.map((metric) => [metric, sum(metric)]))
    },
    reconnects: () => opened - 1,
    faults: () => faults,
    async close() {
      stop()
      await client.dispose()
    },
  }
}

function inTables(sent: Totals) {
  const byStatus = Object.entries(sent.orders.byStatus).filter(([, { orders }]) => orders > 0)
  return {
    events: Object.entries(sent.events.byType).sort(),
    purchaseCents: sent.events.purchaseCents,
    users: sent.rows.users.accepted,
    orders: byStatus.map(([status, { orders }]) => [status, orders]).sort(),
    items: byStatus.map(([status, { items, cents }]) => [status, items, cents]).sort(),
    userMetrics: [sent.userMetrics.pageViews, sent.userMetrics.seconds],
    messages: Object.entries(sent.messages)
      .filter(([, n]) => n > 0)
      .sort(),
  }
}

async function readTables(): Promise<ReturnType<typeof inTables>> {
  const read = async <Row>(text: string) => (await database.query({ text, rowMode: 'array' })).rows.sort() as Row[]
  const one = async (text: string) => (await read<number[]>(text))[0] ?? []
  return {
    events: await read('select event_type, count(*)::int from events group by 1'),
    purchaseCents: (await one(`select (sum(amount) * 100)::int from events where event_type = 'purchase'`))[0] ?? 0,
    users: (await one('select count(*)::int from users'))[0] ?? 0,
    orders: await read('select status::text, count(*)::int from orders group by 1'),
    items: await read('select status::text, count(*)::int, (sum(sale_price) * 100)::int from order_items group by 1'),
    userMetrics: await one('select sum(page_views)::int, sum(duration)::int from user_metrics'),
    messages: await read('select severity::text, count(*)::int from messages group by 1'),
  }
}

/** The ledger in terms of the metrics, over a window that holds all of it. */
function inMetrics({ events, orders, userMetrics }: Totals) {
  const of = (...types: string[]) => types.reduce((sum, type) => sum + (events.byType[type] ?? 0), 0)
  const kept = orders.cents - orders.byStatus.CANCELLED.cents - orders.byStatus.RETURNED.cents
  return {
    EVENTS: Object.values(events.byType).reduce((sum, n) => sum + n, 0),
    PAGE_VIEWS: of('page_view', 'home', 'department', 'category', 'brand', 'product', 'cart'),
    CART_ADDS: of('cart'),
    PURCHASES: of('purchase'),
    PURCHASE_AMOUNT: events.purchaseCents / 100,
    SIGNUPS: of('signup'),
    ERRORS: of('error'),
    ORDERS: orders.count,
    ORDER_ITEMS: orders.items,
    REVENUE: orders.cents / 100,
    NET_REVENUE: kept / 100,
    USER_PAGE_VIEWS: userMetrics.pageViews,
  }
}
