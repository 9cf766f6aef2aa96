// The whole API on a database and a port of its own, and clients for it: what the tests of schema, streams and transport share.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, createClient as createSocketClient } from 'graphql-ws'
import { createClient as createSseClient } from 'graphql-sse'
import type { Tracer } from '@opentelemetry/api'
import { pino } from 'pino'
import WebSocket from 'ws'
import { type Access, makeAccess } from '../../server/access/access.ts'
import { type Changes, makeChanges } from '../../server/changes/changes.ts'
import { type Database, migrationNames } from '../../server/db/index.ts'
import { makeIngest } from '../../server/ingest/ingest.ts'
import { nameCalls } from '../../server/prometheus/ingest.ts'
import { makeRegistry } from '../../server/prometheus/registry.ts'
import { nameLiveStreams, nameStreamEvents } from '../../server/prometheus/streams.ts'
import { nameCommits, nameQueue } from '../../server/prometheus/writer.ts'
import { makePrisma } from '../../server/schema/prisma.ts'
import { makeStats } from '../../server/stats.ts'
import { makeSubscriptions, type SubscriptionsOptions } from '../../server/subscriptions/subscriptions.ts'
import { startTransport, type TransportOptions } from '../../server/transport/transport.ts'
import { makeWindows } from '../../server/windows/windows.ts'
import { type Commit, makeWriter, type WriterOptions } from '../../server/writer/writer.ts'
import { makeTestDatabase } from '../support/database.ts'

/** What came over the wire: tests look into it, and TypeScript cannot. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Json = any

export interface Answer<Data = Record<string, Json>> {
  status: number
  headers: Headers
  data: Data
  errors?: { message: string; path?: (string | number)[]; extensions: Record<string, unknown> }[]
}

/** Reads a stream message by message. */
export interface Reading<T> {
  next(): Promise<T>
  close(): void
}

export interface LogLine {
  level: number
  msg: string
  requestId?: string
  err?: { message: string }
}

export interface Api {
  url: string
  database: Database
  access: Access
  publicDir: string
  /** Lines the server logged. */
  logged: LogLine[]
  streams(): { subscribers: number; feeds: number; windows: number }
  post<Data = Record<string, Json>>(
    query: string,
    variables?: object,
    headers?: Record<string, string>,
  ): Promise<Answer<Data>>
  /** A graphql-ws client that does not come back by itself. */
  socket(connectionParams?: Record<string, unknown>): Client
  /** One subscription over a socket of its own, or over the one given. */
  watch<T = Json>(query: string, variables?: object, client?: Client): Reading<T>
  watchBySse<T = Json>(query: string, variables?: object, headers?: Record<string, string>): Reading<T>
  close(): Promise<void>
}

export interface ApiOptions {
  tracer?: Tracer
  transport?: Partial<TransportOptions>
  subscriptions?: Partial<SubscriptionsOptions>
  writer?: Partial<WriterOptions>
  /** A database to share; without it one is made, and dropped at the end. */
  database?: Database
}

export async function startApi({
  tracer,
  transport,
  subscriptions,
  writer: given,
  database: shared,
}: ApiOptions = {}): Promise<Api> {
  const logged: LogLine[] = []
  const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(JSON.parse(line) as LogLine) })
  const database = shared ?? (await makeTestDatabase())
  const publicDir = mkdtempSync(join(tmpdir(), 'lookout-public-'))
  const reader: { changes?: Changes } = {}
  const registry = makeRegistry()
  const countCommit = nameCommits(registry)
  const onCommit = (commit: Commit) => {
    reader.changes?.poke()
    countCommit(commit)
  }
  const writer = makeWriter({ database, log, onCommit }, given)
  nameQueue(registry, writer)
  const ingest = makeIngest({ writer, onCall: nameCalls(registry) })
  const changes = (reader.changes = await makeChanges({ database, log }))
  const { onStreamEvent, ...onClosed } = nameStreamEvents(registry)
  const windows = makeWindows({ database, changes, log, onStreamEvent })
  const audience = () => ({
    windows: windows.stats().windows,
    subscribers: windows.stats().subscribers + rows.counts().subscribers,
  })
  const stats = makeStats({ database, writer, changes, audience })
  const rows = makeSubscriptions({ database, changes, log, onStreamEvent, stats }, subscriptions)
  const prisma = makePrisma(database.url)
  const access = await makeAccess({ database, log }, { openWithoutKeys: true, refreshMs: 100 })
  const served = await startTransport(
    {
      services: { database, prisma, ingest, changes, windows, subscriptions: rows, stats },
      access,
      log,
      registry,
      ...onClosed,
      tracer,
    },
    { host: '127.0.0.1', port: 0, publicDir, migrations: migrationNames('.'), ...transport },
  )
  nameLiveStreams(registry, () => ({
    ...served.live(),
    streams: audience().subscribers,
    shared: windows.stats().windows + rows.counts().feeds,
  }))
  const graphqlUrl = `${served.url}/graphql`
  const clients: Client[] = []

  function read<T>(subscribe: (take: Sink<T>) => () => void): Reading<T> {
    const waiting: ({ value: T } | { error: unknown })[] = []
    const readers: { resolve: (value: T) => void; reject: (error: unknown) => void }[] = []
    const push = (item: { value: T } | { error: unknown }) => {
      const reader = readers.shift()
      if (!reader) waiting.push(item)
      else if ('value' in item) reader.resolve(item.value)
      else reader.reject(item.error)
    }
    const stop = subscribe({
      next: ({ data, errors }) => push(errors ? { error: errors } : { value: Object.values(data ?? {})[0] as T }),
      error: (error) => push({ error }),
      complete: () => push({ error: new Error('the stream has ended') }),
    })
    return {
      next: () =>
        new Promise((resolve, reject) => {
          readers.push({ resolve, reject })
          const item = waiting.shift()
          if (item) {
            readers.pop()
            if ('value' in item) resolve(item.value)
            else reject(item.error as Error)
          }
        }),
      close: stop,
    }
  }

  const api: Api = {
    url: served.url,
    database,
    access,
    publicDir,
    logged,
    streams: () => ({ ...rows.counts(), ...audience() }),
    async post(query, variables, headers) {
      const response = await fetch(graphqlUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json', ...headers },
        body: JSON.stringify({ query, variables }),
      })
      return { status: response.status, headers: response.headers, ...((await response.json()) as { data: never }) }
    },
    socket(connectionParams) {
      const client = createSocketClient({
        url: graphqlUrl.replace('http', 'ws'),
        webSocketImpl: WebSocket,
        connectionParams,
        retryAttempts: 0,
        lazy: true,
      })
      clients.push(client)
      return client
    },
    watch<T>(query: string, variables?: object, client = api.socket()) {
      return read<T>((sink) =>
        client.subscribe<Record<string, unknown>>({ query, variables: { ...variables } }, sink as never),
      )
    },
    watchBySse<T>(query: string, variables?: object, headers?: Record<string, string>) {
      const client = createSseClient({ url: graphqlUrl, retryAttempts: 0, headers })
      return read<T>((sink) =>
        client.subscribe<Record<string, unknown>>({ query, variables: { ...variables } }, sink as never),
      )
    },
    async close() {
      for (const client of clients) await client.dispose()
      await served.close()
      await access.close()
      await prisma.close()
      rows.close()
      await windows.close()
      await changes.close()
      await writer.close()
      if (!shared) await database.close()
      rmSync(publicDir, { recursive: true, force: true })
    },
  }
  return api
}

interface Sink<T> {
  next(result: { data?: Record<string, T> | null; errors?: unknown }): void
  error(error: unknown): void
  complete(): void
}

/** A small shop: three users, two products in two centres, and two orders. */
export async function seedShop(api: Api) {
  const userIds = [randomUUID(), randomUUID(), randomUUID()] as [string, string, string]
  const orderIds = [randomUUID(), randomUUID()] as [string, string]
  const countries = ['Brasil', 'China', 'Germany']
  const minuteAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()
  const answer = await api.post(
    `mutation ($centers: [DistributionCenterInput!]!, $products: [ProductInput!]!, $users: [UserInput!]!) {
      upsertDistributionCenters(centers: $centers) { accepted rejected { message } }
      upsertProducts(products: $products) { accepted rejected { message } }
      registerUsers(users: $users) { accepted rejected { message } }
    }`,
    {
      centers: [
        { id: '1', name: 'Memphis TN', latitude: 35.1, longitude: -89.9 },
        { id: '2', name: 'Chicago IL', latitude: 41.8, longitude: -87.6 },
      ],
      products: [
        {
          id: '1',
          cost: '10.00',
          category: 'Jeans',
          name: 'Blue jeans',
          brand: 'Acme',
          retailPrice: '24.50',
          department: 'Women',
          sku: 'A1',
          distributionCenterId: '1',
        },
        {
          id: '2',
          cost: '3.10',
          category: 'Socks',
          name: 'Warm socks',
          brand: 'Sole',
          retailPrice: '7.99',
          department: 'Men',
          sku: 'B2',
          distributionCenterId: '2',
        },
      ],
      users: userIds.map((id, i) => ({
        id,
        firstName: `First${i}`,
        lastName: 'Last',
        email: `u${i}@example.com`,
        age: 20 + i * 10,
        gender: i % 2 ? 'M' : 'F',
        country: countries[i],
        trafficSource: 'Search',
        createdAt: minuteAgo(60 - i),
      })),
    },
  )
  if (answer.errors) throw new Error(JSON.stringify(answer.errors))
  await placeOrder(api, { id: orderIds[0], userId: userIds[0], createdAt: minuteAgo(4), productIds: ['1', '2'] })
  await placeOrder(api, { id: orderIds[1], userId: userIds[1], createdAt: minuteAgo(2), productIds: ['2'] })
  return { userIds, orderIds }
}

export interface PlacedOrder {
  id?: string
  userId: string
  createdAt?: string
  productIds: string[]
}

/** Places an order; answers its items' ids. */
export async function placeOrder(api: Api, { id = randomUUID(), userId, createdAt, productIds }: PlacedOrder) {
  const items = productIds.map((productId) => ({ id: randomUUID(), productId }))
  const { data, errors } = await api.post(
    `mutation ($orders: [OrderInput!]!) { placeOrders(orders: $orders) { accepted rejected { message path } } }`,
    { orders: [{ id, userId, createdAt, items }] },
  )
  if (errors || data.placeOrders.accepted !== 1) throw new Error(JSON.stringify({ data, errors }))
  return { id, itemIds: items.map((item) => item.id) }
}

/** Posts messages with these titles; the answer comes after the commit. */
export async function postMessages(api: Api, severity: string, titles: string[], at?: string) {
  const { errors } = await api.post(
    `mutation ($messages: [MessageInput!]!) { postMessages(messages: $messages) { accepted } }`,
    { messages: titles.map((title) => ({ severity, title, at })) },
  )
  if (errors) throw new Error(JSON.stringify(errors))
}
