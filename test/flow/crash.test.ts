// Nothing acknowledged is lost, nothing is written twice or by half, whatever is killed: two servers side by side on one
// PostgreSQL, under load, each of the three killed at random moments. `npm run test:crash` does it 20 times.
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cluster, startCluster } from '../../server/db/embedded/cluster.ts'
import { placeCluster } from '../../server/db/embedded/place.ts'
import { product, user } from '../server/ingestKit.ts'
import { makeDataDir, type ServerProcess, startServer } from '../support/server.ts'

const crashes = Number(process.env.CRASHES ?? 3)
const awayMs = Number(process.env.AWAY_MS ?? 3_000)
const log = pino({ level: 'silent' })
const sendersPerKind = 4

const dataDir = makeDataDir()
const clusterDir = placeCluster(dataDir.path, log)
const servers: ServerProcess[] = []
let cluster: Cluster
let database: pg.Client

const urlOfDatabase = () => cluster.url('postgres')
const startOne = () => startServer({ DATABASE_URL: urlOfDatabase(), LOG_LEVEL: 'warn' })

beforeAll(async () => {
  cluster = await startCluster(log, { clusterDir })
  servers.push(await startOne(), await startOne())
})
afterAll(async () => {
  await database?.end()
  for (const server of servers) await server.stop()
  await cluster?.close()
  dataDir.remove()
})

interface Answer {
  accepted: number
  duplicates: number
  rejected: { code: string; message: string }[]
}

/** One call to one of the servers; null when it has no answer, or one that asks to send it again. Anything else is a fault. */
async function call(at: number, query: string, variables: object): Promise<Answer | null> {
  try {
    const response = await fetch(`${servers[at % servers.length]?.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(30_000),
    })
    const { data, errors } = (await response.json()) as {
      data?: Record<string, Answer>
      errors?: { message: string; extensions: { code: string } }[]
    }
    if (data) return Object.values(data)[0] as Answer
    const code = errors?.[0]?.extensions.code
    if (code === 'UNAVAILABLE' || code === 'OVERLOADED') return null
    throw new Fault(`${code}: ${errors?.[0]?.message}`)
  } catch (error) {
    if (error instanceof Fault) throw error
    return null
  }
}
class Fault extends Error {}

/** Sends the call, at one server and then the other, until it is answered. */
async function callUntilAnswered(at: number, query: string, variables: object): Promise<Answer> {
  for (let tries = 0; ; tries += 1) {
    const answer = await call(at + tries, query, variables)
    if (answer) return answer
    await delay(20 + Math.random() * 100)
  }
}

const BATCH = `mutation ($rows: EventBatch!, $key: ID) { ingestEvents(batch: $rows, idempotencyKey: $key) { accepted duplicates rejected { code message } } }`
const TYPED = `mutation ($rows: [EventInput!]!) { trackEvents(events: $rows) { accepted duplicates rejected { code message } } }`
const PLACE = `mutation ($rows: [OrderInput!]!) { placeOrders(orders: $rows) { accepted duplicates rejected { code message } } }`
const CHANGE = `mutation ($rows: [OrderStatusInput!]!) { changeOrderStatuses(changes: $rows) { accepted duplicates rejected { code message } } }`

/** What the client knows: a name a call, for each kind of call. */
const ledger = {
  /** Sent with a key until answered: all must be there. */
  keyed: [] as string[],
  /** Sent once: those acknowledged must be there, the others whole or not at all. */
  once: new Map<string, 'acknowledged' | 'unknown'>(),
  /** Sent with ids until answered. */
  orders: [] as { id: string; shipped: boolean }[],
}
const rowsPerCall = 25
const eventsOf = (name: string) =>
  Array.from({ length: rowsPerCall }, (_, at) => ({ type: 'page_view', uri: `${name}/${at}` }))

async function sendKeyed(at: number): Promise<void> {
  const name = `keyed-${randomUUID()}`
  const answer = await callUntilAnswered(at, BATCH, { rows: eventsOf(name), key: name })
  expect(answer).toEqual({ accepted: rowsPerCall, duplicates: 0, rejected: [] })
  ledger.keyed.push(name)
}

async function sendOnce(at: number): Promise<void> {
  const name = `once-${randomUUID()}`
  const answer = await call(at, TYPED, { rows: eventsOf(name) })
  if (answer) expect(answer.accepted).toBe(rowsPerCall)
  ledger.once.set(name, answer ? 'acknowledged' : 'unknown')
  if (!answer) await delay(50)
}

async function sendOrder(at: number): Promise<void> {
  const id = randomUUID()
  const items = [
    { id: randomUUID(), productId: '1' },
    { id: randomUUID(), productId: '2' },
  ]
  const placed = await callUntilAnswered(at, PLACE, { rows: [{ id, userId, items }] })
  expect(placed).toMatchObject({ rejected: [] })
  expect(placed.accepted + placed.duplicates).toBe(1)
  const order = { id, shipped: Math.random() < 0.5 }
  if (order.shipped) {
    const changed = await callUntilAnswered(at + 1, CHANGE, { rows: [{ orderId: id, status: 'SHIPPED' }] })
    expect(changed).toMatchObject({ rejected: [] })
  }
  ledger.orders.push(order)
}

const userId = randomUUID()
async function registerWhatIsReferredTo(): Promise<void> {
  await callUntilAnswered(
    0,
    `mutation ($centers: [DistributionCenterInput!]!, $products: [ProductInput!]!, $users: [UserInput!]!) {
      upsertDistributionCenters(centers: $centers) { accepted duplicates rejected { code message } }
      upsertProducts(products: $products) { accepted duplicates rejected { code message } }
      registerUsers(users: $users) { accepted duplicates rejected { code message } }
    }`,
    {
      centers: [{ id: '1', name: 'Memphis TN', latitude: 35.1, longitude: -89.9 }],
      products: [product('1'), product('2')],
      users: [user(userId)],
    },
  )
}

/** Acknowledged calls so far. */
const acknowledged = () => ledger.keyed.length + ledger.orders.length

async function untilAcknowledged(more: number): Promise<void> {
  const wanted = acknowledged() + more
  const deadline = Date.now() + 60_000
  while (acknowledged() < wanted) {
    if (Date.now() > deadline)
      throw new Error(`nothing is acknowledged any more:\n${servers.map((s) => s.output()).join('\n')}`)
    await delay(20)
  }
}

async function killServer(at: number): Promise<void> {
  await servers[at]?.stop('SIGKILL')
  servers[at] = await startOne()
}

/** It ends in time, and of its own will. */
async function stopServer(at: number): Promise<void> {
  const begun = Date.now()
  expect(await servers[at]?.stop('SIGTERM')).toBe(0)
  expect(Date.now() - begun).toBeLessThan(10_000)
  servers[at] = await startOne()
}

/** SIGKILL leaves PostgreSQL no time for anything; SIGQUIT is its immediate stop. */
async function killPostgres(signal: 'SIGKILL' | 'SIGQUIT', forMs = 0): Promise<void> {
  const { port } = cluster
  process.kill(Number(readFileSync(join(clusterDir, 'postmaster.pid'), 'utf8').split('\n')[0]), signal)
  await cluster.close()
  await delay(forMs)
  cluster = await startCluster(log, { clusterDir, port })
}

const disasters: [name: string, strike: () => Promise<void>][] = [
  ['PostgreSQL is killed', () => killPostgres('SIGKILL')],
  ['a server is told to stop', () => stopServer(Math.floor(Math.random() * servers.length))],
  ['a server is killed', () => killServer(Math.floor(Math.random() * servers.length))],
  ['PostgreSQL is stopped at once', () => killPostgres('SIGQUIT')],
  ['the other server is killed', () => killServer(0)],
  [
    'a server and PostgreSQL are killed',
    async () => {
      await servers[1]?.stop('SIGKILL')
      await killPostgres('SIGKILL')
      servers[1] = await startOne()
    },
  ],
]

const rows = async <Row>(sql: string) => (await database.query(sql)).rows as Row[]

test(
  `what was acknowledged is there once, after ${crashes} crashes under load`,
  { timeout: 120_000 + crashes * 30_000 },
  async () => {
    await registerWhatIsReferredTo()
    let stopped = false
    const keepOn = async (at: number, send: (at: number) => Promise<void>) => {
      while (!stopped) await send(at)
    }
    const load = [sendKeyed, sendOnce, sendOrder].flatMap((send) =>
      Array.from({ length: sendersPerKind }, (_, at) => keepOn(at, send)),
    )
    const struck = (async () => {
      for (let crash = 0; crash < crashes; crash += 1) {
        await untilAcknowledged(10)
        await delay(Math.random() * 1_000)
        await disasters[crash % disasters.length]?.[1]()
      }
      await untilAcknowledged(10)
    })()
    try {
      await Promise.race([struck, Promise.all(load)])
    } finally {
      stopped = true
    }
    await Promise.all(load)

    database = new pg.Client({ connectionString: urlOfDatabase() })
    database.on('error', () => undefined)
    await database.connect()
    const stored = await rows<{ name: string; rows: number; distinct: number }>(`
      select split_part(uri, '/', 1) as name, count(*)::int as rows, count(distinct uri)::int as distinct
      from events group by 1`)
    expect(stored.filter((each) => each.rows !== rowsPerCall || each.distinct !== rowsPerCall)).toEqual([])
    const names = new Set(stored.map(({ name }) => name))
    expect(ledger.keyed.filter((name) => !names.has(name))).toEqual([])
    expect([...ledger.once].filter(([name, fate]) => fate === 'acknowledged' && !names.has(name))).toEqual([])
    expect([...names].filter((name) => !ledger.once.has(name) && !ledger.keyed.includes(name))).toEqual([])

    // Whoever answers: what was answered before the crashes is answered again, and nothing is written.
    for (const [at, name] of ledger.keyed.slice(0, 20).entries()) {
      const again = await call(at, BATCH, { rows: eventsOf(name), key: name })
      expect(again).toEqual({ accepted: rowsPerCall, duplicates: 0, rejected: [] })
    }
    const [now] = await rows<{ events: number }>('select count(*)::int as events from events')
    expect(now?.events).toBe(names.size * rowsPerCall)

    const orders = await rows<{ id: string; status: string; items: number; followed: boolean }>(`
      select o.order_id as id, o.status, count(i.id)::int as items, bool_and(i.status = o.status) as followed
      from orders as o left join order_items as i on i.order_id = o.order_id group by 1, 2`)
    const byId = new Map(orders.map((order) => [order.id, order]))
    expect(orders.length).toBe(ledger.orders.length)
    for (const { id, shipped } of ledger.orders) {
      expect(byId.get(id)).toEqual({ id, status: shipped ? 'SHIPPED' : 'PROCESSING', items: 2, followed: true })
    }

    const drifts = await rows<{ view: string; drift: number }>(
      'select view_name as view, cagg.drift(view_name)::int as drift from cagg.continuous_aggregates',
    )
    expect(drifts.filter(({ drift }) => drift !== 0)).toEqual([])
    expect(drifts.length).toBeGreaterThan(20)
  },
)

test(
  `with PostgreSQL away for ${awayMs / 1000} s calls are answered UNAVAILABLE, /ready says so, and all resumes by itself`,
  { timeout: 60_000 + awayMs },
  async () => {
    const [server] = servers as [ServerProcess]
    const memoryMb = () =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.child.pid}/status`, 'utf8'))?.[1]) / 1024
    const ready = async () => {
      const response = await fetch(`${server.url}/ready`)
      return { status: response.status, ...((await response.json()) as { ready: boolean; writer: string }) }
    }
    const readyTo = async (status: number, writer: string) => {
      const deadline = Date.now() + 20_000
      for (;;) {
        const answer = await ready()
        if (answer.status === status && answer.writer === writer) return answer
        if (Date.now() > deadline) throw new Error(`still ${JSON.stringify(answer)}:\n${server.output()}`)
        await delay(20)
      }
    }
    await readyTo(200, 'ok')
    const before = memoryMb()
    const codes = new Set<string>()
    let slowestMs = 0
    let away = true
    const insist = async () => {
      while (away) {
        const startedMs = Date.now()
        const response = await fetch(`${server.url}/graphql`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
          body: JSON.stringify({ query: BATCH, variables: { rows: eventsOf('away') } }),
        })
        slowestMs = Math.max(slowestMs, Date.now() - startedMs)
        const { errors } = (await response.json()) as { errors?: { extensions: { code: string } }[] }
        if (!errors) continue
        codes.add(`${response.status} ${errors[0]?.extensions.code}`)
        expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
        await delay(5)
      }
    }
    const insisting = Array.from({ length: 8 }, insist)
    try {
      const back = killPostgres('SIGQUIT', awayMs)
      await readyTo(503, 'out of reach')
      await back
      const backMs = Date.now()
      await readyTo(200, 'ok')
      expect(Date.now() - backMs).toBeLessThan(15_000)
      const answer = await callUntilAnswered(0, BATCH, { rows: eventsOf('back') })
      expect(answer.accepted).toBe(rowsPerCall)
    } finally {
      away = false
    }
    await Promise.all(insisting)

    expect([...codes]).toEqual(['503 UNAVAILABLE'])
    // The commit that was under way is asked about for as long as this, no call waits for longer.
    expect(slowestMs).toBeLessThan(16_000)
    expect(memoryMb() - before).toBeLessThan(100)
  },
)
