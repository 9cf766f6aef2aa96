// A running Lookout with a page on it: the real server on a database of its own, reached through a wire that can be cut.
import { randomUUID } from 'node:crypto'
import { createServer, connect, type AddressInfo, type Socket } from 'node:net'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { expect } from 'vitest'
import { openBrowser } from '../../scripts/browser.ts'
import type { Database } from '../../server/db/index.ts'
import { makeTestDatabase } from '../support/database.ts'
import { startServer } from '../support/server.ts'

export interface Wire {
  url: string
  /** Breaks every connection, and lets none through until `mend`. */
  cut(): void
  mend(): void
  close(): Promise<void>
}

/** A TCP relay in front of `target`: the page is served through it, so cutting it is what a lost network is to the page. */
export async function makeWire(target: URL): Promise<Wire> {
  const open = new Set<Socket>()
  let isCut = false
  const relay = createServer((near) => {
    if (isCut) return near.resetAndDestroy()
    const far = connect(Number(target.port), target.hostname)
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(socket)
      socket.pipe(other)
      socket.on('error', () => other.destroy())
      socket.on('close', () => open.delete(socket) && other.destroy())
    }
  })
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve))
  const breakAll = () => {
    for (const socket of open) socket.destroy()
  }
  return {
    url: `http://127.0.0.1:${(relay.address() as AddressInfo).port}`,
    cut() {
      isCut = true
      breakAll()
    },
    mend: () => void (isCut = false),
    close() {
      breakAll()
      return new Promise((resolve) => relay.close(() => resolve()))
    },
  }
}

export interface Shop {
  /** A mutation with one argument; fails the test when a row is not accepted. */
  send(field: string, argument: string, rows: readonly object[]): Promise<void>
  /** An order of one item for that price, at that time; now, unless said otherwise. */
  order(salePrice: string, more?: { at?: Date; country?: 'Germany' | 'Japan' }): Promise<void>
  events(...types: string[]): Promise<void>
  message(severity: 'SUCCESS' | 'WARNING' | 'DANGER', title: string, text?: string): Promise<void>
}

const INPUTS: Record<string, string> = {
  upsertDistributionCenters: 'DistributionCenterInput',
  upsertProducts: 'ProductInput',
  registerUsers: 'UserInput',
  placeOrders: 'OrderInput',
  trackEvents: 'EventInput',
  recordUserMetrics: 'UserMetricInput',
  postMessages: 'MessageInput',
}

/** A client of the mutations, with two customers and one product. */
export async function makeShop(url: string): Promise<Shop & { userId: string }> {
  const buyers = { Germany: randomUUID(), Japan: randomUUID() }
  const send: Shop['send'] = async (field, argument, rows) => {
    const query = `mutation ($rows: [${INPUTS[field]}!]!) { ${field}(${argument}: $rows) { accepted rejected { message } } }`
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables: { rows } }),
    })
    const { data, errors } = (await response.json()) as { data?: Record<string, unknown>; errors?: unknown }
    expect(errors).toBeUndefined()
    expect(data?.[field]).toEqual({ accepted: rows.length, rejected: [] })
  }
  await send('upsertDistributionCenters', 'centers', [{ id: '1', name: 'Memphis TN', latitude: 35.1, longitude: -90 }])
  await send('upsertProducts', 'products', [
    {
      ...{ id: '1', cost: '10.00', category: 'Jeans', name: 'Blue jeans', brand: 'Acme', retailPrice: '24.50' },
      ...{ department: 'Women', sku: 'A'.repeat(32), distributionCenterId: '1' },
    },
  ])
  await send(
    'registerUsers',
    'users',
    Object.entries(buyers).map(([country, id]) => ({
      ...{ id, country, firstName: 'Ada', lastName: 'Lovelace', email: 'ada@example.com', age: 36, gender: 'F' },
      trafficSource: country === 'Japan' ? 'Email' : 'Search',
    })),
  )
  return {
    userId: buyers.Germany,
    send,
    order: (salePrice, { at = new Date(), country = 'Germany' } = {}) =>
      send('placeOrders', 'orders', [
        { userId: buyers[country], createdAt: at.toISOString(), items: [{ productId: '1', salePrice }] },
      ]),
    events: (...types) =>
      send(
        'trackEvents',
        'events',
        types.map((type) => ({ type, sessionId: randomUUID(), amount: type === 'purchase' ? '10.00' : null })),
      ),
    message: (severity, title, text) => send('postMessages', 'messages', [{ severity, title, text }]),
  }
}

export interface Stage {
  database: Database
  browser: Browser
  wire: Wire
  shop: Awaited<ReturnType<typeof makeShop>>
  /** A fresh page on the dashboard; what it complains of is in `complaints`. */
  visit(path?: string, options?: BrowserContextOptions): Promise<Visit>
  close(): Promise<void>
}

export interface Visit {
  page: Page
  /** Errors of the page and its console. */
  complaints: string[]
  /** Hosts that were asked for anything. */
  hosts: Set<string>
  /** The exact value of a card; undefined while there is none. */
  card(metric: string): Promise<number | undefined>
  panel(name: string): ReturnType<Page['locator']>
}

export async function setStage(): Promise<Stage> {
  const database = await makeTestDatabase()
  const server = await startServer({ DATABASE_URL: database.url })
  const wire = await makeWire(new URL(server.url))
  const shop = await makeShop(server.url)
  const browser = await openBrowser()

  async function visit(path = '/', options: BrowserContextOptions = {}): Promise<Visit> {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, locale: 'en-US', ...options })
    const complaints: string[] = []
    const hosts = new Set<string>()
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
    })
    page.on('request', (request) => hosts.add(new URL(request.url()).host))
    await page.goto(wire.url + path)
    const panel = (name: string) => page.locator(`[data-panel="${name}"]`)
    return {
      ...{ page, complaints, hosts, panel },
      async card(metric) {
        const found = page.locator(`[data-metric="${metric}"] data`)
        return (await found.count()) > 0 ? Number(await found.getAttribute('value')) : undefined
      },
    }
  }
  return {
    ...{ browser, database, wire, shop, visit },
    async close() {
      await browser.close()
      await wire.close()
      await server.stop()
      await database.close()
    },
  }
}

/** Waits until the page shows it: a card's value, a text, whatever `look` reads. */
export const eventually = <Seen>(look: () => Promise<Seen>) => expect.poll(look, { timeout: 20_000, interval: 50 })
