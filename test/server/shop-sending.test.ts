// How the shop sends: repeats, pauses, order of calls, limits; against a small HTTP server that fails when told to.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { makeCatalogue } from '../../shop/catalogue.ts'
import { makeClient } from '../../shop/client.ts'
import { makeGeography } from '../../shop/geography.ts'
import { makeLedger } from '../../shop/ledger.ts'
import { makeOutbox, type OutboxOptions } from '../../shop/outbox.ts'
import { ShopError } from '../../shop/opening.ts'
import { makeShop } from '../../shop/shop.ts'
import type { EventRow, OrderRow, UserRow } from '../../shop/rows.ts'

const [place] = makeGeography().places
const atMs = Date.UTC(2026, 0, 1)
const user: UserRow = {
  id: '00000000-0000-7000-8000-000000000001',
  firstName: 'Ana',
  lastName: 'Sato',
  email: 'anasato@example.com',
  age: 30,
  gender: 'F',
  street: '1 Elm Street',
  place: place!,
  trafficSource: 'Search',
  atMs,
}
const order: OrderRow = {
  id: '00000000-0000-7000-8000-000000000002',
  userId: user.id,
  items: [{ productId: 1, cents: 1_905 }],
  atMs,
}
const event: EventRow = {
  type: 'purchase',
  userId: user.id,
  sessionId: '00000000-0000-7000-8000-000000000003',
  sequence: 1,
  place: place!,
  ipAddress: '1.2.3.4',
  browser: 'Chrome',
  trafficSource: 'Email',
  uri: '/purchase',
  cents: 1_905,
  properties: null,
  atMs,
}

interface Call {
  field: string
  variables: { rows: Record<string, unknown>[]; key: string }
  arrivedMs: number
}
type Answer = (call: Call, index: number) => { status?: number; headers?: Record<string, string>; body: unknown } | null

const accept: Answer = ({ variables }) => ({
  body: { data: { result: { accepted: variables.rows.length, duplicates: 0, rejected: [] } } },
})
const refuse = (code: string, message = code, more: object = {}) => ({
  status: code === 'OVERLOADED' ? 503 : 400,
  body: { errors: [{ message, extensions: { code, ...more } }] },
})

/** An API of the test's own; an answer of null drops the connection. */
async function serve(answer: Answer) {
  const calls: Call[] = []
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { query, variables } = JSON.parse(Buffer.concat(chunks).toString())
    const call = { field: /^mutation (\w+)/.exec(query)?.[1] ?? '', variables, arrivedMs: performance.now() }
    calls.push(call)
    const given = answer(call, calls.length - 1)
    if (!given) return void request.socket.destroy()
    response.writeHead(given.status ?? 200, { 'content-type': 'application/json', ...given.headers })
    response.end(JSON.stringify(given.body))
  }
  const server = createServer((request, response) => void handle(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { calls, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql` }
}

const defaults: OutboxOptions = { batchRowsMax: 100, parcelsMax: 3, backlogRowsMax: 1_000, lateShare: 0, lateMs: 1_000 }

function makeSender(url: string, options: Partial<OutboxOptions> = {}) {
  const client = makeClient({ url, backOffMs: { first: 5, last: 40 } })
  onTestFinished(() => client.close())
  const ledger = makeLedger()
  return { client, ledger, outbox: makeOutbox({ client, ledger }, { ...defaults, ...options }) }
}

describe('a call', () => {
  test('is repeated with the same key until it is answered, and counted once', async () => {
    const failures = [refuse('OVERLOADED'), null, { status: 502, body: 'gateway' }, refuse('UNAVAILABLE')]
    const { calls, url } = await serve((call, index) =>
      index < failures.length ? failures[index]! : accept(call, index),
    )
    const { outbox, ledger } = makeSender(url)
    outbox.push('users', user)
    await outbox.empty()
    expect(calls).toHaveLength(5)
    expect(new Set(calls.map((call) => call.variables.key)).size).toBe(1)
    expect(ledger.totals().rows.users).toEqual({ sent: 1, accepted: 1, duplicates: 0, rejected: 0, refused: 0 })
  })

  test('is not repeated before the time that the server asks for', async () => {
    const { calls, url } = await serve((call, index) =>
      index === 0 ? refuse('OVERLOADED', 'full', { retryAfterMs: 150 }) : accept(call, index),
    )
    const { outbox } = makeSender(url)
    outbox.push('users', user)
    await outbox.empty()
    expect(calls[1]!.arrivedMs - calls[0]!.arrivedMs).toBeGreaterThanOrEqual(145)
  })

  test('waits as long as Retry-After says where the error itself says nothing', async () => {
    const { calls, url } = await serve((call, index) =>
      index === 0 ? { status: 503, headers: { 'retry-after': '1' }, body: 'busy' } : accept(call, index),
    )
    const { outbox } = makeSender(url)
    outbox.push('users', user)
    await outbox.empty()
    expect(calls[1]!.arrivedMs - calls[0]!.arrivedMs).toBeGreaterThanOrEqual(990)
  })

  test('that no repeat can mend is counted as refused, and the rest goes on', async () => {
    const { calls, url } = await serve((call, index) =>
      call.field === 'postMessages' ? refuse('BAD_REQUEST', 'No.') : accept(call, index),
    )
    const { outbox, ledger } = makeSender(url)
    outbox.push('messages', { severity: 'DANGER', title: 'a', text: 'b', payload: {}, channel: 'c', atMs })
    outbox.push('users', user)
    await outbox.empty()
    expect(calls).toHaveLength(2)
    const totals = ledger.totals()
    expect(totals.rows.messages.refused).toBe(1)
    expect(totals.rows.users.accepted).toBe(1)
    expect(totals.rejections).toEqual([{ kind: 'messages', code: 'REFUSED', path: '', message: 'No.' }])
  })

  test('that the server fails at again and again ends after a few repeats', async () => {
    const { calls, url } = await serve(() => refuse('INTERNAL'))
    const { outbox, ledger } = makeSender(url)
    outbox.push('users', user)
    await outbox.empty()
    expect(calls).toHaveLength(5)
    expect(ledger.totals().rows.users.refused).toBe(1)
  })
})

describe('the outbox', () => {
  test('sends users before their orders, and orders before their events', async () => {
    const { calls, url } = await serve(accept)
    const { outbox } = makeSender(url)
    outbox.push('events', event)
    outbox.push('orders', order)
    outbox.push('users', user)
    await outbox.empty()
    expect(calls.map((call) => call.field)).toEqual(['registerUsers', 'placeOrders', 'ingestEvents'])
    expect(calls[1]!.variables.rows).toEqual([
      {
        id: order.id,
        userId: user.id,
        createdAt: '2026-01-01T00:00:00.000Z',
        items: [{ productId: '1', salePrice: '19.05' }],
      },
    ])
    expect(calls[2]!.variables.rows[0]).toMatchObject({ type: 'purchase', amount: '19.05', country: 'China' })
  })

  test('holds an order back while its user waits, across parcels', async () => {
    const { calls, url } = await serve((call, index) => (index < 2 ? refuse('OVERLOADED') : accept(call, index)))
    const { outbox } = makeSender(url)
    outbox.push('users', user)
    outbox.flush()
    outbox.push('orders', order)
    outbox.flush()
    await outbox.empty()
    expect(calls.map((call) => call.field)).toEqual(['registerUsers', 'registerUsers', 'registerUsers', 'placeOrders'])
  })

  test('cuts what waits into calls of limited size and loses nothing', async () => {
    const { calls, url } = await serve(accept)
    const { outbox, ledger } = makeSender(url)
    for (let index = 0; index < 1_234; index++) outbox.push('events', { ...event, sequence: index })
    await outbox.empty()
    expect(Math.max(...calls.map((call) => call.variables.rows.length))).toBe(100)
    const numbers = calls.flatMap((call) => call.variables.rows.map((row) => row.sequenceNumber as number))
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 1_234 }, (_, index) => index))
    expect(ledger.totals().events).toEqual({ byType: { purchase: 1_234 }, purchaseCents: 1_234 * 1_905 })
    expect(outbox.rows()).toBe(0)
  })

  test('is full at its limit and has room again once rows were taken', async () => {
    let open = false
    const { url } = await serve((call, index) => (open ? accept(call, index) : refuse('OVERLOADED')))
    const { outbox, client } = makeSender(url, { backlogRowsMax: 150 })
    for (let index = 0; index < 150; index++) outbox.push('events', event)
    outbox.flush()
    expect(outbox.full()).toBe(true)
    open = true
    await outbox.empty()
    expect(outbox.full()).toBe(false)
    expect(client.trouble()).toBeNull()
  })

  test('holds the late share back, and sends it with the time at which it happened', async () => {
    const { calls, url } = await serve(accept)
    const { outbox } = makeSender(url, { lateShare: 0.5, lateMs: 60_000 })
    for (let index = 0; index < 100; index++) outbox.push('events', event)
    outbox.flush()
    await outbox.room()
    expect(outbox.waiting()).toBe(0)
    expect(outbox.rows()).toBeGreaterThan(20)
    await outbox.empty()
    const rows = calls.flatMap((call) => call.variables.rows)
    expect(rows).toHaveLength(100)
    expect(new Set(rows.map((row) => row.timestamp))).toEqual(new Set(['2026-01-01T00:00:00.000Z']))
  })

  test('leaves rejected rows out of what it knows to be written', async () => {
    const { url } = await serve(({ variables }) => {
      const rejected = [{ index: 1, code: 'INVALID', path: ['uri'], message: 'No such page.' }]
      return { body: { data: { result: { accepted: variables.rows.length - 1, duplicates: 0, rejected } } } }
    })
    const { outbox, ledger } = makeSender(url)
    for (const cents of [100, 200, 400]) outbox.push('events', { ...event, cents })
    await outbox.empty()
    const totals = ledger.totals()
    expect(totals.events.purchaseCents).toBe(500)
    expect(totals.rows.events).toMatchObject({ sent: 3, accepted: 2, rejected: 1 })
    expect(totals.rejections).toEqual([{ kind: 'events', code: 'INVALID', path: 'uri', message: 'No such page.' }])
    expect(totals.unanswered).toBe(0)
  })

  test('moves the revenue of an order along with its status', async () => {
    const { url } = await serve(accept)
    const { outbox, ledger } = makeSender(url)
    outbox.push('orders', order)
    outbox.push('statuses', { orderId: order.id, from: 'PROCESSING', to: 'SHIPPED', cents: 1_905, items: 1, atMs })
    await outbox.empty()
    const { byStatus } = ledger.totals().orders
    expect(byStatus.PROCESSING).toEqual({ orders: 0, items: 0, cents: 0 })
    expect(byStatus.SHIPPED).toEqual({ orders: 1, items: 1, cents: 1_905 })
  })
})

describe('the shop', () => {
  const shopAt = (url: string) => {
    const shop = makeShop({ url, catalogue: makeCatalogue([]), geography: makeGeography() })
    onTestFinished(() => void shop.close())
    return shop
  }

  test('says so when what answers is not the API it knows', async () => {
    const { url } = await serve((_, index) =>
      index === 0 ? { body: { data: {} } } : refuse('BAD_REQUEST', 'No such field.'),
    )
    const shop = shopAt(url)
    await expect(shop.live).rejects.toThrow('The shop cannot open: BAD_REQUEST: No such field.')
    await expect(shop.ended).rejects.toThrow(ShopError)
    const strange = shopAt((await serve(() => ({ status: 404, body: 'Not found' }))).url)
    await expect(strange.live).rejects.toThrow('does not answer as Lookout does: HTTP 404')
  })

  test('closes while it still waits for the server', async () => {
    const shop = shopAt('http://127.0.0.1:4300/graphql')
    expect((await shop.close()).unanswered).toBe(0)
    await shop.ended
    expect(shop.status().live).toBe(false)
  })
})
