// Whoever is cut off goes on from its cursor with no gap and no repeat, on whichever server of the database answers: sockets
// are cut, servers stopped and killed, and the change log trimmed, while rows come, come late, change and go.
// `npm run test:cuts` does it 200 times.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { createClient } from 'graphql-ws'
import type { GraphQLFormattedError } from 'graphql'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import type { Database } from '../../server/db/index.ts'
import { product, user } from '../server/ingestKit.ts'
import { makeTestDatabase } from '../support/database.ts'
import { type ServerProcess, startServer } from '../support/server.ts'

const cuts = Number(process.env.CUTS ?? 8)

let database: Database
const servers: ServerProcess[] = []
const followers: Follower[] = []

const startOne = async () => {
  const server = await startServer({ DATABASE_URL: database.url, LOG_LEVEL: 'warn' })
  started.push(server)
  return server
}

/** All servers that ever ran. */
const started: ServerProcess[] = []

/** What the servers wrote in their logs about a refusal. */
const loggedOf = ({ extensions }: GraphQLFormattedError): string =>
  started
    .flatMap((server) => server.output().split('\n'))
    .filter((line) => line.includes(String(extensions?.requestId)))
    .join('\n')

const pick = <T>(of: readonly T[]): T => of[Math.floor(Math.random() * of.length)]!

beforeAll(async () => {
  database = await makeTestDatabase()
  servers.push(...(await Promise.all([startOne(), startOne()])))
})
afterAll(async () => {
  await Promise.all(followers.map((follower) => follower.close()))
  await Promise.all(servers.map((server) => server.stop()))
  await database?.close()
})

interface Head {
  kind: 'SNAPSHOT' | 'DELTA'
  cursor: string
  previousCursor: string | null
}

/** What a client holds of a stream. */
interface Holding<Update> {
  /** Throws for a delta that says again what is held. */
  take(update: Update): void
  shown(): unknown
}

interface Follower {
  /** Messages taken so far. */
  taken(): number
  /** How its returns went. */
  returns: { resumed: number; snapshots: number }
  shown(): unknown
  /** Rejects with the first fault. */
  lived: Promise<void>
  cut(): void
  close(): Promise<void>
}

/** A client that comes back, to whichever server, whenever it is cut off, and holds the stream together from its messages. */
function follow<Update extends Head>(query: string, makeHolding: () => Holding<Update>): Follower {
  const holding = makeHolding()
  const returns = { resumed: 0, snapshots: 0 }
  let cursor: string | undefined
  let taken = 0
  let closed = false
  let cut = () => {}

  /** One stay at a server; resolves when it is over. */
  function stay(after: string | undefined, next: (update: Update) => void): Promise<void> {
    let opened: (socket: WebSocket) => void = () => {}
    const isOpen = new Promise<WebSocket>((resolve) => (opened = resolve))
    const client = createClient({
      url: `${pick(servers).url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      on: { opened: (socket) => opened(socket as WebSocket) },
    })
    cut = () => void isOpen.then((socket) => socket.terminate())
    return new Promise<void>((resolve, reject) => {
      // A server that closes may say so before its socket does.
      const end = (errors: unknown) => {
        const [refusal] = Array.isArray(errors) ? (errors as GraphQLFormattedError[]) : []
        if (refusal && refusal.extensions?.code !== 'UNAVAILABLE')
          reject(new Error(`${JSON.stringify(refusal)}\n${loggedOf(refusal)}`))
        else resolve()
      }
      const sink = {
        next({ data, errors }: { data?: Record<string, Update> | null; errors?: unknown }) {
          if (!data) return end(errors)
          try {
            next(Object.values(data)[0]!)
          } catch (error) {
            reject(error as Error)
          }
        },
        error: end,
        complete: resolve,
      }
      client.subscribe<Record<string, Update>>({ query, variables: { after } }, sink)
    }).finally(() => client.dispose())
  }

  async function live(): Promise<void> {
    while (!closed) {
      let isReturn = cursor !== undefined
      await stay(cursor, (update) => {
        if (isReturn) returns[update.kind === 'DELTA' ? 'resumed' : 'snapshots']++
        isReturn = false
        if (update.kind === 'DELTA' && update.previousCursor !== cursor)
          throw new Error(`a gap after ${taken} messages`)
        holding.take(update)
        cursor = update.cursor
        taken++
      })
      await delay(Math.random() * 50)
    }
  }

  const lived = live()
  return {
    taken: () => taken,
    returns,
    lived,
    shown: () => holding.shown(),
    cut: () => cut(),
    async close() {
      closed = true
      cut()
      await lived
    },
  }
}

interface Metrics extends Head {
  windowStart: string
  totals: { value: number | null }[]
  points: { bucket: string; key: string | null; values: (number | null)[] }[]
  breakdown: object[]
}

function holdMetrics(): Holding<Metrics> {
  const points = new Map<string, Metrics['points'][number]>()
  let last: Metrics | undefined
  return {
    take(update) {
      if (update.kind === 'SNAPSHOT') points.clear()
      for (const point of update.points) points.set(`${point.bucket} ${point.key}`, point)
      for (const [id, { bucket }] of points) if (bucket < update.windowStart) points.delete(id)
      last = update
    },
    shown: () => ({
      totals: last?.totals,
      breakdown: last?.breakdown,
      points: [...points]
        .filter(([, { values }]) => values.some((value) => value))
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    }),
  }
}

function holdItems(): Holding<Items> {
  const held = new Map<string, string>()
  return {
    take({ kind, items, removed }) {
      if (kind === 'SNAPSHOT') held.clear()
      for (const id of removed) held.delete(id)
      for (const { itemId, status } of items) {
        if (held.get(itemId) === status) throw new Error(`${itemId} came again as ${status}`)
        held.set(itemId, status)
      }
    },
    shown: () => [...held].sort(([a], [b]) => (a < b ? -1 : 1)),
  }
}

/** All titles that anybody was told. */
const told = new Set<string>()

/** A snapshot holds the newest 100 of each severity, and so does what is shown. */
function holdMessages(): Holding<Messages> {
  const held = new Map<string, Messages['messages'][number]>()
  return {
    take({ kind, messages }) {
      if (kind === 'SNAPSHOT') held.clear()
      for (const message of messages) {
        if (held.has(message.messageId)) throw new Error(`${message.title} came again`)
        held.set(message.messageId, message)
        told.add(message.title)
      }
    },
    shown: () => {
      const newest = [...held.values()].sort((a, b) =>
        `${a.createdAt} ${a.messageId}` < `${b.createdAt} ${b.messageId}` ? 1 : -1,
      )
      return ['SUCCESS', 'WARNING', 'DANGER'].map((each) =>
        newest.filter(({ severity }) => severity === each).slice(0, 100),
      )
    },
  }
}

const metrics = (asked: string) =>
  follow(
    `subscription ($after: Cursor) {
      metrics(every: "PT0.05S", after: $after, ${asked}) {
        kind cursor previousCursor windowStart totals { value } points { bucket key values } breakdown { key other values }
      }
    }`,
    holdMetrics,
  )

interface Items extends Head {
  items: { itemId: string; status: string }[]
  removed: string[]
}
const orderItems = (lookback: string) =>
  follow(
    `subscription ($after: Cursor) {
      orderItems(lookback: "${lookback}", every: "PT0.05S", after: $after) {
        kind cursor previousCursor items { itemId status } removed
      }
    }`,
    holdItems,
  )

interface Messages extends Head {
  messages: { messageId: string; severity: string; title: string; createdAt: string }[]
}
const messages = () =>
  follow(
    `subscription ($after: Cursor) {
      messages(after: $after) { kind cursor previousCursor messages { messageId severity title createdAt } }
    }`,
    holdMessages,
  )

const streams = [
  () => metrics('metrics: [EVENTS, ERROR_RATE, PURCHASE_AMOUNT], window: "PT10M", bucket: "PT1S"'),
  () => metrics('metrics: [PAGE_VIEWS, ACTIVE_USERS], window: "PT10S", by: COUNTRY, top: 2'),
  () =>
    metrics(`metrics: [REVENUE, PROFIT], window: "PT10M", by: CATEGORY, filter: [{ dimension: GENDER, in: ["F"] }]`),
  () => orderItems('PT1H'),
  () => orderItems('PT10S'),
  messages,
]

/** Sends a call until a server answers it. */
async function call(query: string, variables: object): Promise<void> {
  for (;;) {
    try {
      const response = await fetch(`${pick(servers).url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
        body: JSON.stringify({ query, variables }),
      })
      if (response.status === 200) return
      if (response.status !== 503) throw new Fault(await response.text())
    } catch (error) {
      if (error instanceof Fault) throw error
    }
    await delay(20)
  }
}
class Fault extends Error {}

/** Rows changed past the API. Of two that wait for each other PostgreSQL ends one; the next change comes soon enough. */
const change = (sql: string) =>
  database.pool.query(sql).catch((error: { code?: string }) => {
    if (error.code !== '40P01') throw error
  })

const userIds = [randomUUID(), randomUUID(), randomUUID()]
const registerShop = () =>
  call(
    `mutation ($centers: [DistributionCenterInput!]!, $products: [ProductInput!]!, $users: [UserInput!]!) {
      upsertDistributionCenters(centers: $centers) { accepted }
      upsertProducts(products: $products) { accepted }
      registerUsers(users: $users) { accepted }
    }`,
    {
      centers: [{ id: '1', name: 'Memphis TN', latitude: 35.1, longitude: -89.9 }],
      products: [product('1'), product('2', { category: 'Socks' })],
      users: userIds.map((id, at) => user(id, { country: ['Brasil', 'China', 'Japan'][at] })),
    },
  )

/** Now, or up to so many seconds late. */
const at = (lateSeconds: number) =>
  new Date(Date.now() - (Math.random() < 0.7 ? 0 : Math.random() * lateSeconds * 1000)).toISOString()

const steps: ['PROCESSING', 'SHIPPED', 'COMPLETE', 'RETURNED'] = ['PROCESSING', 'SHIPPED', 'COMPLETE', 'RETURNED']
const orders = new Map<string, number>()
const posted: string[] = []

const writers: (() => Promise<unknown>)[] = [
  () =>
    call(`mutation ($rows: EventBatch!) { ingestEvents(batch: $rows) { accepted } }`, {
      rows: Array.from({ length: 5 }, () => ({
        type: pick(['page_view', 'purchase', 'error']),
        sessionId: pick(userIds),
        country: pick(['Brasil', 'China', 'Japan', 'Spain']),
        browser: pick(['Chrome', 'Safari']),
        timestamp: at(300),
        amount: '2.50',
      })),
    }),
  async () => {
    const id = randomUUID()
    const items = ['1', '2'].map((productId) => ({ id: randomUUID(), productId }))
    const order = { id, userId: pick(userIds), createdAt: at(20), items }
    await call(`mutation ($rows: [OrderInput!]!) { placeOrders(orders: $rows) { accepted } }`, { rows: [order] })
    orders.set(id, 0)
  },
  async () => {
    const [id, step] = pick([...orders.entries()].slice(-20)) ?? []
    if (id === undefined || step === undefined || step + 1 >= steps.length) return delay(5)
    orders.set(id, step + 1)
    const changes = [{ orderId: id, status: steps[step + 1] }]
    await call(`mutation ($rows: [OrderStatusInput!]!) { changeOrderStatuses(changes: $rows) { accepted } }`, {
      rows: changes,
    })
  },
  async () => {
    const title = randomUUID()
    const rows = [{ severity: pick(['SUCCESS', 'WARNING', 'DANGER']), title }]
    await call(`mutation ($rows: [MessageInput!]!) { postMessages(messages: $rows) { accepted } }`, { rows })
    posted.push(title)
  },
  () =>
    change(
      pick([
        `delete from events where id in (select id from events order by random() limit 2)`,
        `update events set country = 'Peru', amount = 9.75 where id in (select id from events order by random() limit 2)`,
      ]),
    ),
]

async function keepWriting(write: () => Promise<unknown>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await write()
    await delay(Math.random() * 60)
  }
}

/** Stops a server in one of two ways, and starts it again. */
async function restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const which = Math.floor(Math.random() * servers.length)
  await servers[which]!.stop(signal)
  servers[which] = await startOne()
}

/** Every cursor that reaches back to before now has expired. */
const trimChangeLog = () => database.pool.query(`select cagg._trim_changes('0 seconds')`)
const deleteOrderItem = () =>
  change(`delete from order_items where id = (select id from order_items order by random() limit 1)`)

async function cutOff(index: number): Promise<void> {
  if (index % 20 === 2) return restart('SIGKILL')
  if (index % 20 === 6) return restart('SIGTERM')
  if (index % 20 === 11) await trimChangeLog()
  if (index % 5 === 1) await deleteOrderItem()
  for (const follower of followers) if (Math.random() < 0.5) follower.cut()
}

test(
  `through ${cuts} cuts nothing is missed and nothing comes twice, whichever server goes on`,
  { timeout: 60_000 + cuts * 5_000 },
  async () => {
    await registerShop()
    followers.push(...streams.map((open) => open()))
    const writing = new AbortController()
    const written = Promise.all(writers.map((write) => keepWriting(write, writing.signal)))
    const cutting = (async () => {
      for (let cut = 0; cut < cuts; cut++) {
        const [watched, wanted] = [pick(followers), Math.floor(Math.random() * 4)]
        const from = watched.taken()
        await expect.poll(() => watched.taken() - from, { timeout: 30_000, interval: 5 }).toBeGreaterThanOrEqual(wanted)
        await cutOff(cut)
      }
    })()
    try {
      await Promise.race([cutting, written, ...followers.map(({ lived }) => lived)])
    } finally {
      writing.abort()
    }
    await written

    const resumed = followers.reduce((sum, { returns }) => sum + returns.resumed, 0)
    expect(resumed).toBeGreaterThan(cuts / 2)
    await expect.poll(() => posted.filter((title) => !told.has(title))).toEqual([])
    for (const [at, open] of streams.entries()) {
      const [returned, fresh] = [followers[at]!, open()]
      followers.push(fresh)
      await expect.poll(() => fresh.taken(), { timeout: 10_000 }).toBeGreaterThan(0)
      await vi.waitFor(() => expect(returned.shown()).toEqual(fresh.shown()), { timeout: 10_000 })
    }
  },
)
