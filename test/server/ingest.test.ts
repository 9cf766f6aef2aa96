// What each mutation takes, refuses and writes, on a real database.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeIngest } from '../../server/ingest/ingest.ts'
import { makeWriter } from '../../server/writer/writer.ts'
import { caller, type Kit, makeKit, product, silent, user } from './ingestKit.ts'

let kit: Kit

beforeAll(async () => {
  kit = await makeKit()
})

afterAll(async () => {
  expect(await kit.drift()).toBe(0)
  await kit.close()
})

const event = (more: object = {}) => ({ type: 'page_view', country: 'France', ...more })
const minutesFromNow = (minutes: number) => new Date(Date.now() + minutes * 60_000)
const daysAgo = (days: number) => minutesFromNow(-days * 24 * 60)

describe('trackEvents', () => {
  it('accounts for good, repeated and rejected rows of one call', async () => {
    const id = randomUUID()
    const events = [
      event({ id }),
      event({ id: id.toUpperCase(), country: 'Spain' }),
      event({ type: '' }),
      event({ timestamp: minutesFromNow(6) }),
      event({ timestamp: daysAgo(40) }),
      event({ uri: 'x'.repeat(2_049) }),
      event({ amount: '1.005' }),
      event({ amount: '19.9900', timestamp: minutesFromNow(4) }),
    ]
    const result = await kit.ingest.trackEvents(events, caller)
    expect(result).toMatchObject({ accepted: 2, duplicates: 1 })
    expect(result.rejected.map(({ index, code, path }) => [index, code, path])).toEqual([
      [2, 'INVALID', ['type']],
      [3, 'FUTURE_TIMESTAMP', ['timestamp']],
      [4, 'TOO_OLD', ['timestamp']],
      [5, 'TOO_LARGE', ['uri']],
      [6, 'INVALID', ['amount']],
    ])
    const [kept] = await kit.rows<{ country: string }>('select country from events where id = $1', [id])
    expect(kept).toEqual({ country: 'France' })
  })

  it('knows an id again in a later call, whatever time it carries then', async () => {
    const id = randomUUID()
    expect(await kit.ingest.trackEvents([event({ id })], caller)).toMatchObject({ accepted: 1, duplicates: 0 })
    const again = await kit.ingest.trackEvents([event({ id, timestamp: minutesFromNow(-90) }), event()], caller)
    expect(again).toEqual({ accepted: 1, duplicates: 1, rejected: [] })
    expect(await kit.count('select count(*) from events where id = $1', [id])).toBe(1)
  })

  it('stores every column as it was sent, special characters included', async () => {
    const sent = {
      id: randomUUID(),
      type: 'pur\\chase\t"x"',
      timestamp: new Date('2026-01-01T00:00:00Z'),
      userId: randomUUID(),
      sessionId: randomUUID(),
      sequenceNumber: 3,
      country: 'Côte d’Ivoire\n\r\t\\N \\. 🦉',
      state: '\\N',
      city: '\\.',
      postalCode: '00-1',
      ipAddress: '::1',
      browser: "Safari'; drop table events; --",
      trafficSource: 'E\\mail',
      uri: '/product/1?a=\\b',
      amount: '-12.5',
      properties: { text: 'a\tb\\c\n"d"', nested: [1, { __proto__x: null }], '\\k': 1e-7 },
    }
    const timestamp = daysAgo(3)
    await kit.ingest.trackEvents([{ ...sent, timestamp }], caller)
    const [row] = await kit.rows('select * from events where id = $1', [sent.id])
    expect(row).toEqual({
      id: sent.id,
      created_at: timestamp,
      event_type: sent.type,
      user_id: sent.userId,
      session_id: sent.sessionId,
      sequence_number: 3,
      country: sent.country,
      state: sent.state,
      city: sent.city,
      postal_code: sent.postalCode,
      ip_address: sent.ipAddress,
      browser: sent.browser,
      traffic_source: sent.trafficSource,
      uri: sent.uri,
      amount: '-12.50',
      properties: sent.properties,
    })
  })

  it('refuses more rows than a call may have, and writes none of them', async () => {
    const before = await kit.count('select count(*) from events')
    const events = Array.from({ length: 10_001 }, () => event())
    await expect(kit.ingest.trackEvents(events, caller)).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' })
    expect(await kit.count('select count(*) from events')).toBe(before)
  })
})

describe('ingestEvents', () => {
  it.each([[null], [{}], ['[]'], [[event(), null]], [[event(), [event()]]], [[1]]])(
    'fails whole where the batch is no array of objects: %j',
    async (batch) => {
      await expect(kit.ingest.ingestEvents(batch, caller)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    },
  )

  it('rejects alone what GraphQL would refuse whole', async () => {
    const batch: unknown = JSON.parse(`[
      {"type": "ok", "properties": {"__proto__": {"polluted": true}, "constructor": 1}},
      {"type": 7}, {}, {"type": null}, {"type": "x", "sequenceNumber": 1.5}, {"type": "x", "userId": 5.5},
      {"type": "x", "__proto__": 1}, {"type": "x", "colour": "red"}, {"type": "x", "amount": 1e400},
      {"type": "x", "amount": true}, {"type": "x", "timestamp": 5}, {"type": "x", "timestamp": "2026-02-30T00:00:00Z"},
      {"type": "x\\u0000"}, {"type": "x", "city": "\\ud800"}, {"type": "x", "properties": {"a\\u0000": 1}},
      {"type": "x", "properties": ["\\udfff"]}, {"type": "x", "amount": "12345678901"}
    ]`)
    const result = await kit.ingest.ingestEvents(batch, caller)
    expect(result.accepted).toBe(1)
    expect(result.rejected.map(({ index, code, path }) => `${index} ${code} ${path.join('.')}`)).toEqual([
      '1 INVALID type',
      '2 INVALID type',
      '3 INVALID type',
      '4 INVALID sequenceNumber',
      '5 INVALID userId',
      '6 INVALID __proto__',
      '7 INVALID colour',
      '8 INVALID amount',
      '9 INVALID amount',
      '10 INVALID timestamp',
      '11 INVALID timestamp',
      '12 INVALID type',
      '13 INVALID city',
      '14 INVALID properties',
      '15 INVALID properties',
      '16 INVALID amount',
    ])
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  it('refuses JSON nested deeper than the limit without walking to its end', async () => {
    let properties: unknown = 1
    for (let level = 0; level < 100_000; level += 1) properties = [properties]
    const result = await kit.ingest.ingestEvents([{ type: 'x', properties }], { ...caller, idempotencyKey: 'deep' })
    expect(result).toMatchObject({ accepted: 0, rejected: [{ code: 'TOO_LARGE', path: ['properties'] }] })
  })
})

describe('registerUsers', () => {
  it('takes a given id once, in a call and across calls', async () => {
    const id = randomUUID()
    const users = [user(id), user(id, { firstName: 'Other' }), { ...user(''), id: undefined }]
    expect(await kit.ingest.registerUsers(users, caller)).toEqual({ accepted: 2, duplicates: 1, rejected: [] })
    expect(await kit.ingest.registerUsers([user(id)], caller)).toEqual({ accepted: 0, duplicates: 1, rejected: [] })
    expect(await kit.rows('select first_name from users where id = $1', [id])).toEqual([{ first_name: 'Ada' }])
  })

  it('rejects what no user has', async () => {
    const bad = [
      { age: 131 },
      { latitude: 91 },
      { gender: 'X' },
      { country: '' },
      { id: 'me' },
      { firstName: 'x'.repeat(101) },
    ]
    const result = await kit.ingest.registerUsers(
      bad.map((more) => user(randomUUID(), more)),
      caller,
    )
    expect(result.rejected.map(({ code, path }) => `${code} ${path.join('.')}`)).toEqual([
      'INVALID age',
      'INVALID latitude',
      'INVALID gender',
      'INVALID country',
      'INVALID id',
      'TOO_LARGE firstName',
    ])
  })
})

describe('recordUserMetrics', () => {
  it('keeps rows of known users and names the others', async () => {
    const metrics = [
      { userId: kit.userIds[0], pageViews: 3, duration: 60 },
      { userId: randomUUID(), pageViews: 1, duration: 1 },
      { userId: kit.userIds[1].toUpperCase(), pageViews: 0, duration: 0 },
      { userId: kit.userIds[1], pageViews: -1, duration: 0 },
    ]
    const result = await kit.ingest.recordUserMetrics(metrics, caller)
    expect(result.accepted).toBe(2)
    expect(result.rejected.map(({ index, code, path }) => [index, code, path])).toEqual([
      [1, 'UNKNOWN_REFERENCE', ['userId']],
      [3, 'INVALID', ['pageViews']],
    ])
    expect(await kit.count('select count(*) from user_metrics')).toBe(2)
  })
})

describe('postMessages', () => {
  it('keeps title, text, payload and column', async () => {
    const message = {
      severity: 'DANGER',
      title: 'Payments fail',
      text: 'all\tof them',
      payload: { rate: 0.5 },
      channel: 'ops',
    }
    const result = await kit.ingest.postMessages([message, { ...message, severity: 'LOUD' }], caller)
    expect(result).toMatchObject({ accepted: 1, rejected: [{ index: 1, code: 'INVALID', path: ['severity'] }] })
    expect(await kit.rows('select severity, title, text, payload, channel from messages')).toEqual([message])
  })
})

describe('upsertProducts and upsertDistributionCenters', () => {
  it('accept a repeat, keep the last content, and name unknown centres', async () => {
    const products = [product('7'), product('7', { name: 'Newer' }), product('8', { distributionCenterId: '99' })]
    const result = await kit.ingest.upsertProducts(products, caller)
    expect(result).toMatchObject({ accepted: 2, duplicates: 0 })
    expect(result.rejected).toMatchObject([{ index: 2, code: 'UNKNOWN_REFERENCE', path: ['distributionCenterId'] }])
    expect(await kit.ingest.upsertProducts([product('7', { name: 'Newest' })], caller)).toMatchObject({ accepted: 1 })
    expect(await kit.rows('select name from products where id = 7')).toEqual([{ name: 'Newest' }])
    const center = { id: '9', name: 'Charleston SC', latitude: 32.7833, longitude: -79.9333 }
    const centers = [center, { ...center, latitude: Number.NaN }, { ...center, id: '0' }]
    const answer = await kit.ingest.upsertDistributionCenters(centers, caller)
    expect(answer.accepted).toBe(1)
    expect(answer.rejected.map(({ path }) => path)).toEqual([['latitude'], ['id']])
  })
})

describe('placeOrders', () => {
  it('writes order, items and sold inventory together, with prices and gender filled in', async () => {
    const id = randomUUID()
    const createdAt = minutesFromNow(-30)
    const items = [{ productId: '1' }, { productId: '2', salePrice: '80' }]
    const result = await kit.ingest.placeOrders([{ id, userId: kit.userIds[1], createdAt, items }], caller)
    expect(result).toEqual({ accepted: 1, duplicates: 0, rejected: [] })
    expect(
      await kit.rows('select status, gender, created_at, num_of_item from orders where order_id = $1', [id]),
    ).toEqual([{ status: 'PROCESSING', gender: 'M', created_at: createdAt, num_of_item: 2 }])
    const sold = await kit.rows(
      `select item.sale_price, item.status, item.created_at = stock.sold_at and stock.sold_at = stock.created_at as timed,
         stock.cost, stock.product_category, stock.product_retail_price
       from order_items as item join inventory_items as stock on stock.id = item.inventory_item_id
       where item.order_id = $1 order by item.product_id`,
      [id],
    )
    const common = { status: 'PROCESSING', timed: true, cost: '10.00', product_category: 'Jeans' }
    expect(sold).toEqual([
      { ...common, sale_price: '24.50', product_retail_price: '24.50' },
      { ...common, sale_price: '80.00', product_retail_price: '99.99' },
    ])
  })

  it('takes a repeated order as a duplicate with its items, in a call and across calls', async () => {
    const order = { id: randomUUID(), userId: kit.userIds[0], items: [{ productId: '1' }] }
    expect(await kit.ingest.placeOrders([order, order], caller)).toEqual({ accepted: 1, duplicates: 1, rejected: [] })
    expect(await kit.ingest.placeOrders([order], caller)).toEqual({ accepted: 0, duplicates: 1, rejected: [] })
    expect(await kit.count('select count(*) from order_items where order_id = $1', [order.id])).toBe(1)
  })

  it('names unknown users and products, and what is wrong with an item, by its path', async () => {
    const twice = randomUUID()
    const order = (items: object[], more: object = {}) => ({ userId: kit.userIds[0], items, ...more })
    const result = await kit.ingest.placeOrders(
      [
        order([{ productId: '1' }], { userId: randomUUID() }),
        order([{ productId: '1' }, { productId: '404' }]),
        order([]),
        order([{ productId: '1', salePrice: '-1' }]),
        order([
          { productId: '1', id: twice },
          { productId: '1', id: twice },
        ]),
        order([{ productId: '1' }], { createdAt: daysAgo(31) }),
        order([{ productId: '1' }]),
      ],
      caller,
    )
    expect(result.accepted).toBe(1)
    expect(result.rejected.map(({ index, code, path }) => `${index} ${code} ${path.join('.')}`)).toEqual([
      '0 UNKNOWN_REFERENCE userId',
      '1 UNKNOWN_REFERENCE items.1.productId',
      '2 INVALID items',
      '3 INVALID items.0.salePrice',
      '4 INVALID items.1.id',
      '5 TOO_OLD createdAt',
    ])
  })

  it('sells a given piece once: made when unknown, refused when sold already', async () => {
    const inventoryItemId = randomUUID()
    const order = () => ({ userId: kit.userIds[0], items: [{ productId: '1', inventoryItemId }] })
    const result = await kit.ingest.placeOrders([order(), order()], caller)
    const path = ['items', '0', 'inventoryItemId']
    expect(result).toMatchObject({ accepted: 1, rejected: [{ index: 1, code: 'INVALID', path }] })
    expect(await kit.ingest.placeOrders([order()], caller)).toMatchObject({ accepted: 0, rejected: [{ path }] })
    await kit.rows('update inventory_items set sold_at = null where id = $1', [inventoryItemId])
    expect(await kit.ingest.placeOrders([order()], caller)).toMatchObject({ accepted: 1 })
    expect(
      await kit.count('select count(*) from inventory_items where id = $1 and sold_at is not null', [inventoryItemId]),
    ).toBe(1)
  })
})

describe('changeOrderStatuses', () => {
  async function place(more: object = {}): Promise<string> {
    const id = randomUUID()
    const items = [{ productId: '1' }, { productId: '2' }]
    await kit.ingest.placeOrders([{ id, userId: kit.userIds[0], items, ...more }], caller)
    return id
  }

  it('takes several steps of one order in a call, in their order, and its items follow', async () => {
    const orderId = await place({ createdAt: daysAgo(2) })
    const times = [daysAgo(1.5), daysAgo(1), daysAgo(0.5)]
    const steps = ['SHIPPED', 'COMPLETE', 'RETURNED'].map((status, at) => ({ orderId, status, at: times[at] }))
    expect(await kit.ingest.changeOrderStatuses(steps, caller)).toEqual({ accepted: 3, duplicates: 0, rejected: [] })
    const life = { status: 'RETURNED', shipped_at: times[0], delivered_at: times[1], returned_at: times[2] }
    const columns = 'status, shipped_at, delivered_at, returned_at'
    expect(await kit.rows(`select ${columns} from orders where order_id = $1`, [orderId])).toEqual([life])
    expect(await kit.rows(`select ${columns} from order_items where order_id = $1`, [orderId])).toEqual([life, life])
  })

  it('counts a status already held as a duplicate and rejects impossible steps and unknown orders', async () => {
    const orderId = await place()
    const changes = ['PROCESSING', 'COMPLETE', 'CANCELLED', 'CANCELLED', 'SHIPPED'].map((status) => ({
      orderId,
      status,
    }))
    const result = await kit.ingest.changeOrderStatuses(
      [...changes, { orderId: randomUUID(), status: 'SHIPPED' }],
      caller,
    )
    expect(result).toMatchObject({ accepted: 1, duplicates: 2 })
    expect(result.rejected.map(({ index, code, path }) => `${index} ${code} ${path.join('.')}`)).toEqual([
      '1 IMPOSSIBLE_TRANSITION status',
      '4 IMPOSSIBLE_TRANSITION status',
      '5 UNKNOWN_REFERENCE orderId',
    ])
  })

  it('lets one of two concurrent changes win', async () => {
    const orderId = await place()
    const [shipped, cancelled] = await Promise.all([
      kit.ingest.changeOrderStatuses([{ orderId, status: 'SHIPPED' }], caller),
      kit.ingest.changeOrderStatuses([{ orderId, status: 'CANCELLED' }], caller),
    ])
    expect(shipped.accepted + cancelled.accepted).toBe(1)
    expect([...shipped.rejected, ...cancelled.rejected]).toMatchObject([{ code: 'IMPOSSIBLE_TRANSITION' }])
  })

  it('lets one of two changes win on two servers too, order by order, whatever the order they come in', async () => {
    const writer = makeWriter({ database: kit.database, log: silent })
    const other = makeIngest({ writer })
    const orderIds = await Promise.all(Array.from({ length: 40 }, () => place()))
    const change = (status: string, ids: string[]) => ids.map((orderId) => ({ orderId, status }))
    const [shipped, cancelled] = await Promise.all([
      kit.ingest.changeOrderStatuses(change('SHIPPED', orderIds), caller),
      other.changeOrderStatuses(change('CANCELLED', orderIds.toReversed()), caller),
    ])
    await writer.close()
    expect(shipped.accepted + cancelled.accepted).toBe(40)
    expect(shipped.rejected.length + cancelled.rejected.length).toBe(40)
    expect(new Set([...shipped.rejected, ...cancelled.rejected].map(({ code }) => code))).toEqual(
      new Set(['IMPOSSIBLE_TRANSITION']),
    )
    const lost = new Set(shipped.rejected.map(({ index }) => orderIds[index]))
    const held = await kit.rows<{ id: string; status: string; followed: boolean }>(
      `select o.order_id as id, o.status, bool_and(i.status = o.status) as followed
       from orders as o join order_items as i using (order_id) where o.order_id = any ($1) group by 1, 2`,
      [orderIds],
    )
    expect(held.map(({ id, status, followed }) => [status, followed, lost.has(id)])).toEqual(
      held.map(({ id }) => (lost.has(id) ? ['CANCELLED', true, true] : ['SHIPPED', true, false])),
    )
    expect(held).toHaveLength(40)
  })
})
