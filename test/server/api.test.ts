import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  buildSchema,
  findBreakingChanges,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  lexicographicSortSchema,
  printSchema,
} from 'graphql'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { PrismaClient } from '../../server/db/generated/prisma/client.ts'
import { makePrisma } from '../../server/schema/prisma.ts'
import { makeSchema } from '../../server/schema/schema.ts'
import { openConnections } from '../../server/db/database.ts'
import { connectForTest } from '../support/database.ts'
import { makeWay } from '../support/way.ts'
import { type Api, type Json, seedShop, startApi } from './apiKit.ts'

const projectDir = inject('projectDir')

describe('the schema', () => {
  const schema = makeSchema()

  test('holds all of the contract', () => {
    const contract = buildSchema(readFileSync(join(projectDir, 'test/server/apiContract.graphql'), 'utf8'))
    expect(findBreakingChanges(contract, schema)).toEqual([])
  })

  test('is the one that schema.graphql shows', () => {
    const printed = `${printSchema(lexicographicSortSchema(schema))}\n`
    expect(readFileSync(join(projectDir, 'schema.graphql'), 'utf8')).toBe(printed)
  })

  test('describes every type, field, argument and value', () => {
    const missing: string[] = []
    const look = (name: string, described: { description?: string | null }) => {
      if (!described.description) missing.push(name)
    }
    for (const type of Object.values(schema.getTypeMap())) {
      if (type.name.startsWith('__')) continue
      look(type.name, type)
      if (isEnumType(type)) for (const value of type.getValues()) look(`${type.name}.${value.name}`, value)
      if (isInputObjectType(type)) {
        for (const field of Object.values(type.getFields())) look(`${type.name}.${field.name}`, field)
      }
      if (!isObjectType(type) && !isInterfaceType(type)) continue
      for (const field of Object.values(type.getFields())) {
        look(`${type.name}.${field.name}`, field)
        for (const argument of field.args) look(`${type.name}.${field.name}(${argument.name}:)`, argument)
      }
    }
    expect(missing).toEqual([])
  })
})

describe('theLook as a graph', () => {
  let api: Api
  let userIds: string[]
  let orderIds: string[]

  beforeAll(async () => {
    api = await startApi()
    ;({ userIds, orderIds } = await seedShop(api))
  })
  afterAll(() => api.close())

  test('relations lead from a user to orders, items, products and the stock they came from', async () => {
    const { data, errors } = await api.post(
      `query ($ids: [ID!]) {
        users(where: { userIds: $ids }) {
          totalCount
          nodes {
            userId
            orders { totalCount nodes { orderId status numOfItem user { email } items { salePrice status product { name distributionCenter { name } } inventoryItem { cost soldAt } } } }
          }
        }
      }`,
      { ids: [userIds[0]] },
    )
    expect(errors).toBeUndefined()
    expect(data.users.totalCount).toBe(1)
    const [order] = data.users.nodes[0].orders.nodes
    expect(order).toMatchObject({
      orderId: orderIds[0],
      status: 'PROCESSING',
      numOfItem: 2,
      user: { email: 'u0@example.com' },
    })
    const byName = Object.fromEntries(order.items.map((item: Json) => [item.product.name, item]))
    expect(byName['Blue jeans']).toMatchObject({
      salePrice: '24.50',
      product: { distributionCenter: { name: 'Memphis TN' } },
      inventoryItem: { cost: '10.00' },
    })
    expect(byName['Warm socks']).toMatchObject({ salePrice: '7.99' })
  })

  test('filters narrow a connection, also by what is related', async () => {
    const { data, errors } = await api.post(`{
      young: users(where: { age: { max: 25 } }) { nodes { age } }
      byCountry: orders(where: { user: { countries: ["China"] } }) { nodes { orderId } }
      socks: orderItems(where: { product: { categories: ["Socks"] }, salePrice: { min: 7, max: "8.00" } }) { totalCount }
      sold: inventoryItems(where: { sold: true, categories: ["Jeans"] }) { totalCount nodes { productName } }
      centers: distributionCenters(orderBy: { field: NAME, direction: ASC }) { nodes { name products { totalCount } } }
      warm: products(where: { nameContains: "WARM" }) { nodes { productId retailPrice } }
      any: products(where: { nameContains: "%" }) { totalCount }
      one: products(where: { nameContains: "war_" }) { totalCount }
      escaped: products(where: { nameContains: "w\\\\arm" }) { totalCount }
    }`)
    expect(errors).toBeUndefined()
    expect(data.young.nodes).toEqual([{ age: 20 }])
    expect(data.byCountry.nodes).toEqual([{ orderId: orderIds[1] }])
    expect(data.socks.totalCount).toBe(2)
    expect(data.sold).toEqual({ totalCount: 1, nodes: [{ productName: 'Blue jeans' }] })
    expect(data.centers.nodes).toEqual([
      { name: 'Chicago IL', products: { totalCount: 1 } },
      { name: 'Memphis TN', products: { totalCount: 1 } },
    ])
    expect(data.warm.nodes).toEqual([{ productId: '2', retailPrice: '7.99' }])
    expect([data.any, data.one, data.escaped]).toEqual(Array(3).fill({ totalCount: 0 }))
  })

  test('pages follow each other in the order asked for, forwards and backwards', async () => {
    const page = `query ($first: Int, $after: String, $last: Int, $before: String) {
      users(first: $first, after: $after, last: $last, before: $before, orderBy: { field: CREATED_AT, direction: ASC }) {
        edges { cursor node { userId } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      }
    }`
    const ids = (answer: Json) => answer.data.users.edges.map((edge: Json) => edge.node.userId)
    const first = await api.post(page, { first: 2 })
    expect(ids(first)).toEqual(userIds.slice(0, 2))
    expect(first.data.users.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false })
    const second = await api.post(page, { first: 2, after: first.data.users.pageInfo.endCursor })
    expect(ids(second)).toEqual(userIds.slice(2))
    expect(second.data.users.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true })
    expect(ids(await api.post(page, { last: 1 }))).toEqual(userIds.slice(2))
    expect(ids(await api.post(page, { last: 2, before: second.data.users.pageInfo.startCursor }))).toEqual(
      userIds.slice(0, 2),
    )
  })

  test('events page by their compound key, newest first, without a repeat', async () => {
    const events = Array.from({ length: 7 }, (_, i) => ({
      type: 'page_view',
      uri: `/${i}`,
      timestamp: new Date(Date.now() - (i >> 1) * 1000).toISOString(),
    }))
    await api.post(`mutation ($events: [EventInput!]!) { trackEvents(events: $events) { accepted } }`, { events })
    const seen: string[] = []
    let after: string | null = null
    do {
      const { data, errors }: Json = await api.post(
        `query ($after: String) { events(first: 3, after: $after, where: { types: ["page_view"] }) { edges { node { eventId createdAt } } pageInfo { hasNextPage endCursor } } }`,
        { after },
      )
      expect(errors).toBeUndefined()
      seen.push(...data.events.edges.map((edge: Json) => `${edge.node.createdAt} ${edge.node.eventId}`))
      after = data.events.pageInfo.hasNextPage ? data.events.pageInfo.endCursor : null
    } while (after)
    expect(seen).toHaveLength(7)
    expect(seen).toEqual([...seen].sort().reverse())
  })

  test('node(id) finds any object by its global id, those with a compound key too; nodes(ids) keeps their order', async () => {
    const { data } = await api.post(`{
      users(first: 1) { nodes { id userId } }
      products(first: 1) { nodes { id productId } }
      orderItems(first: 1) { nodes { id itemId } }
      events(first: 1) { nodes { id eventId } }
    }`)
    const nodes = [data.users.nodes[0], data.products.nodes[0], data.orderItems.nodes[0], data.events.nodes[0]]
    const found = await api.post(
      `query ($ids: [ID!]!, $id: ID!) {
        nodes(ids: $ids) { id ... on User { userId } ... on Product { productId } ... on OrderItem { itemId } ... on Event { eventId } }
        node(id: $id) { __typename id }
      }`,
      { ids: nodes.map(({ id }) => id), id: nodes[2].id },
    )
    expect(found.errors).toBeUndefined()
    expect(found.data.nodes).toEqual(nodes)
    expect(found.data.node).toEqual({ __typename: 'OrderItem', id: nodes[2].id })
  })

  test('nodes(ids) takes as many ids as a page has rows, and each costs what is asked of it', async () => {
    const ids = Array.from({ length: 501 }, () => Buffer.from('Product:1').toString('base64'))
    const document = (fields: string) => `query ($ids: [ID!]!) { nodes(ids: $ids) { ${fields} } }`
    expect((await api.post(document('id'), { ids: ids.slice(1) })).data.nodes).toHaveLength(500)
    const many = await api.post(document('id'), { ids })
    expect(many.errors?.[0]).toMatchObject({ message: 'nodes takes up to 500 ids; got 501.' })
    const costly = '... on Product { orderItems(first: 500) { nodes { id } } }'
    expect((await api.post(document(costly), { ids: ids.slice(1) })).errors?.[0]?.message).toMatch(/points/)
    expect((await api.post(document(costly), { ids: ids.slice(-40) })).errors).toBeUndefined()
  })

  test('node(id) is null for what is not there, and says so of what is no id', async () => {
    const gone = Buffer.from('User:00000000-0000-4000-8000-000000000000').toString('base64')
    expect((await api.post(`query ($id: ID!) { node(id: $id) { id } }`, { id: gone })).data).toEqual({ node: null })
    for (const id of [
      'nonsense',
      Buffer.from('User:17').toString('base64'),
      Buffer.from('Product:1; drop').toString('base64'),
    ]) {
      const { errors } = await api.post(`query ($id: ID!) { node(id: $id) { id } }`, { id })
      expect(errors?.[0]?.extensions.code).toBe('BAD_REQUEST')
    }
  })

  test.each([
    ['a page beyond the limit', `{ users(first: 501) { nodes { id } } }`, /0 to 500/],
    ['a negative page', `{ users(first: -1) { nodes { id } } }`, /non-negative/],
    ['a cursor that is none', `{ users(first: 1, after: "x") { nodes { id } } }`, /cursor/i],
    ['a key that is no UUID', `{ orders(where: { orderIds: ["17"] }) { nodes { id } } }`, /UUID/],
    ['a key that is no number', `{ products(where: { productIds: ["1.5"] }) { nodes { id } } }`, /whole number/],
    ['a text the database cannot hold', `{ users(where: { countries: ["\\u0000"] }) { nodes { id } } }`, /malformed/],
  ])('%s is refused with BAD_REQUEST', async (_what, query, message) => {
    const { errors } = await api.post(query)
    expect(errors?.[0]?.extensions.code).toBe('BAD_REQUEST')
    expect(errors?.[0]?.message).toMatch(message)
  })

  test('resolvers cannot write: their connections are read-only', async () => {
    const prisma = makePrisma(api.database.url)
    try {
      const write = (prisma as unknown as PrismaClient).$executeRaw`delete from public.users`
      await expect(write).rejects.toThrow(/read-only transaction/)
    } finally {
      await prisma.close()
    }
  })

  test('their connections take any password there is', async () => {
    const role = `reader_${randomUUID().slice(0, 8)}`
    const url = new URL(api.database.url)
    Object.assign(url, { username: role, password: 'a+b%20c' })
    await api.database.pool.query(`create role ${role} login password 'a+b c'`)
    const prisma = makePrisma(url.href)
    try {
      const [row] = await (prisma as unknown as PrismaClient).$queryRaw<[{ name: string }]>`select current_user as name`
      expect(row).toEqual({ name: role })
    } finally {
      await prisma.close()
      await api.database.pool.query(`drop role ${role}`)
    }
  })
})

describe('what the server knows', () => {
  let api: Api
  beforeAll(async () => {
    api = await startApi()
    await seedShop(api)
  })
  afterAll(() => api.close())

  test('metrics over a window, with totals, points and a breakdown', async () => {
    const { data, errors } =
      await api.post(`{ metrics(metrics: [REVENUE, ORDERS], window: "PT5M", by: COUNTRY, top: 1) {
      kind windowStart windowEnd totals { metric value } points { key values } breakdown { key other values }
    } }`)
    expect(errors).toBeUndefined()
    expect(data.metrics.kind).toBe('SNAPSHOT')
    expect(data.metrics.totals).toEqual([
      { metric: 'REVENUE', value: 40.48 },
      { metric: 'ORDERS', value: 2 },
    ])
    expect(data.metrics.breakdown).toEqual([
      { key: 'Brasil', other: false, values: [32.49, 1] },
      { key: null, other: true, values: [7.99, 1] },
    ])
  })

  test('history, the funnel and the catalogue', async () => {
    const to = new Date()
    const from = new Date(to.getTime() - 3_600_000)
    const { data, errors } = await api.post(
      `query ($from: DateTime!, $to: DateTime!) {
        timeSeries(metrics: [ORDERS], from: $from, to: $to, bucket: "PT10M", gapfill: ZERO) { bucket values }
        funnel { step sessions share }
        metricCatalogue { metric title unit kind upIs definition dimensions sources }
      }`,
      { from, to },
    )
    expect(errors).toBeUndefined()
    expect(data.timeSeries.length).toBeGreaterThanOrEqual(6)
    expect(data.timeSeries.reduce((sum: number, point: Json) => sum + point.values[0], 0)).toBe(2)
    expect(data.funnel.map((step: Json) => step.step)).toEqual(['product', 'cart', 'purchase'])
    expect(data.metricCatalogue).toHaveLength(20)
  })

  test('the continuous aggregates, each without drift when asked', async () => {
    const { data, errors } = await api.post(
      `{ continuousAggregates { name source bucketWidth groupKeys aggregates retention sizeBytes definition drift } }`,
    )
    expect(errors).toBeUndefined()
    const byName = Object.fromEntries(data.continuousAggregates.map((each: Json) => [each.name, each]))
    expect(byName['metrics.orders_1s']).toMatchObject({ bucketWidth: 'PT1S', retention: 'P1D', drift: 0 })
    expect(byName['metrics.orders_1h']).toMatchObject({
      bucketWidth: 'PT1H',
      retention: null,
      source: 'metrics.orders_1m',
    })
    expect(data.continuousAggregates.map((each: Json) => each.drift)).toEqual(data.continuousAggregates.map(() => 0))
  })

  test('a drift whose connection breaks is an error, and of nothing else', async () => {
    const way = await makeWay(api.database.url)
    const through = await openConnections(pino({ level: 'silent' }), { url: way.url, poolMax: 4 })
    const other = await startApi({ database: through })
    const holder = await connectForTest(api.database)
    await holder.query('begin; lock table public.messages in access exclusive mode')
    const answer = other.post(`{ continuousAggregates { name drift } }`)
    const waiting = `select from pg_stat_activity where query like 'select cagg.drift%' and wait_event_type = 'Lock' and datname = current_database()`
    await expect.poll(async () => (await api.database.pool.query(waiting)).rowCount, { timeout: 10_000 }).toBe(1)
    way.cut()
    await holder.query('rollback')
    expect((await answer).errors).toMatchObject([{ extensions: { code: 'UNAVAILABLE' } }])
    expect((await other.post(`{ continuousAggregates { drift } }`)).errors).toBeUndefined()
    await other.close()
    await through.close()
    way.close()
  })

  test('statistics of its own', async () => {
    const { data, errors } = await api.post(
      `{ stats { at startedAt rowsAccepted queueRows queueRowsMax commitLatencyMs databaseVersion databaseBytes memoryBytes subscribers windows uptimeSeconds } }`,
    )
    expect(errors).toBeUndefined()
    expect(data.stats).toMatchObject({ rowsAccepted: 9, queueRows: 0 })
    expect(data.stats.databaseBytes).toBeGreaterThan(1_000_000)
  })
})
