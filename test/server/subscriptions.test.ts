import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Api, type Json, placeOrder, postMessages, type Reading, seedShop, startApi } from './apiKit.ts'

interface Message {
  messageId: string
  title: string
  severity: string
}
interface MessagesUpdate {
  kind: string
  cursor: string
  previousCursor: string | null
  messages: Message[]
}
interface Item {
  itemId: string
  orderId: string
  status: string
  salePrice: string
  country: string
}
interface ItemsUpdate {
  kind: string
  cursor: string
  previousCursor: string | null
  windowStart: string
  windowEnd: string
  items: Item[]
  removed: string[]
}

const MESSAGES = `subscription ($severities: [Severity!], $after: Cursor) {
  messages(severities: $severities, after: $after) { kind cursor previousCursor messages { messageId title severity } }
}`
const ITEMS = `subscription ($lookback: Duration! = "PT5M", $every: Duration! = "PT0.05S", $after: Cursor) {
  orderItems(lookback: $lookback, every: $every, after: $after) {
    kind cursor previousCursor windowStart windowEnd removed
    items { itemId orderId userId age gender country trafficSource category cost status salePrice createdAt }
  }
}`

let api: Api
let userIds: string[]
let orderIds: string[]
const open: Reading<unknown>[] = []

beforeAll(async () => {
  api = await startApi()
  ;({ userIds, orderIds } = await seedShop(api))
})
afterEach(async () => {
  for (const reading of open.splice(0)) reading.close()
  await expect.poll(() => api.streams().subscribers).toBe(0)
})
afterAll(() => api.close())

function watch<T>(query: string, variables: object = {}): Reading<T> {
  const reading = api.watch<T>(query, variables)
  open.push(reading)
  return reading
}

const titles = ({ messages }: MessagesUpdate) => messages.map(({ title }) => title)

/** Reads on until `enough` says so of all updates read. */
async function readUntil<T>(reading: Reading<T>, enough: (all: T[]) => boolean): Promise<T[]> {
  const all: T[] = []
  while (!enough(all)) all.push(await reading.next())
  return all
}

const changeStatus = (orderId: string, status: string) =>
  api.post(
    `mutation ($changes: [OrderStatusInput!]!) { changeOrderStatuses(changes: $changes) { accepted rejected { message } } }`,
    { changes: [{ orderId, status }] },
  )

describe('messages', () => {
  test('come as a snapshot, newest first, then each as it is posted; cursors chain', async () => {
    const old = new Date(Date.now() - 60_000).toISOString()
    await postMessages(api, 'SUCCESS', ['older'], old)
    await postMessages(api, 'DANGER', ['newer'])
    const stream = watch<MessagesUpdate>(MESSAGES)
    const snapshot = await stream.next()
    expect(snapshot).toMatchObject({ kind: 'SNAPSHOT', previousCursor: null })
    expect(titles(snapshot)).toEqual(['newer', 'older'])
    await postMessages(api, 'WARNING', ['one'])
    const first = await stream.next()
    expect(first).toMatchObject({ kind: 'DELTA', previousCursor: snapshot.cursor })
    expect(titles(first)).toEqual(['one'])
    await postMessages(api, 'WARNING', ['late'], old)
    const second = await stream.next()
    expect(second).toMatchObject({ kind: 'DELTA', previousCursor: first.cursor })
    expect(titles(second)).toEqual(['late'])
  })

  test('of other severities are not sent, and a snapshot holds the newest 100 of each', async () => {
    await postMessages(
      api,
      'WARNING',
      Array.from({ length: 130 }, (_, i) => `warning ${i}`),
    )
    const stream = watch<MessagesUpdate>(MESSAGES, { severities: ['WARNING'] })
    const snapshot = await stream.next()
    expect(snapshot.messages).toHaveLength(100)
    expect(new Set(snapshot.messages.map(({ severity }) => severity))).toEqual(new Set(['WARNING']))
    await postMessages(api, 'DANGER', ['not for us'])
    await postMessages(api, 'WARNING', ['for us'])
    expect(titles(await stream.next())).toEqual(['for us'])
  })

  test('that came while the client was away are sent once on resuming, and nothing else', async () => {
    const stream = watch<MessagesUpdate>(MESSAGES)
    const { cursor } = await stream.next()
    stream.close()
    await postMessages(api, 'SUCCESS', ['away 1'])
    await postMessages(api, 'DANGER', ['away 2', 'away 3'])
    const resumed = watch<MessagesUpdate>(MESSAGES, { after: cursor })
    const delta = await resumed.next()
    expect(delta).toMatchObject({ kind: 'DELTA', previousCursor: cursor })
    expect(titles(delta).sort()).toEqual(['away 1', 'away 2', 'away 3'])
    await postMessages(api, 'SUCCESS', ['back'])
    expect(titles(await resumed.next())).toEqual(['back'])
  })

  test('are sent to a late and an early subscriber alike while others write, none missed, none twice', async () => {
    const early = watch<MessagesUpdate>(MESSAGES, { severities: ['SUCCESS'] })
    const begun = await early.next()
    const name = randomUUID().slice(0, 8)
    const expected: string[] = []
    const writes = Array.from({ length: 40 }, async (_, i) => {
      const batch = [`${name} ${i}a`, `${name} ${i}b`]
      expected.push(...batch)
      await postMessages(api, 'SUCCESS', batch)
    })
    const late = watch<MessagesUpdate>(MESSAGES, { severities: ['SUCCESS'], after: begun.cursor })
    await Promise.all(writes)
    for (const stream of [early, late]) {
      const updates = await readUntil(stream, (all) => all.flatMap(titles).length >= expected.length)
      expect(updates.flatMap(titles).sort()).toEqual([...expected].sort())
      let previous = begun.cursor
      for (const update of updates) {
        expect(update.previousCursor).toBe(previous)
        previous = update.cursor
      }
    }
  })

  test('in a transaction that commits after a later one are not lost', async () => {
    const slow = await api.database.connect()
    try {
      await slow.query('begin')
      const insert = `insert into messages (id, severity, title, created_at) values (gen_random_uuid(), 'DANGER', $1, now())`
      await slow.query(insert, ['slow'])
      const stream = watch<MessagesUpdate>(MESSAGES, { severities: ['DANGER'] })
      await stream.next()
      await postMessages(api, 'DANGER', ['quick'])
      expect(titles(await stream.next())).toEqual(['quick'])
      await slow.query('commit')
      expect(titles(await stream.next())).toEqual(['slow'])
    } finally {
      await slow.end()
    }
  })
})

describe('order items', () => {
  test('come joined with buyer and product, then what came, changed and left', async () => {
    const stream = watch<ItemsUpdate>(ITEMS)
    const snapshot = await stream.next()
    expect(snapshot.kind).toBe('SNAPSHOT')
    expect(snapshot.items).toHaveLength(3)
    expect(snapshot.items[0]).toMatchObject({
      orderId: orderIds[1],
      userId: userIds[1],
      age: 30,
      gender: 'M',
      country: 'China',
      trafficSource: 'Search',
      category: 'Socks',
      cost: '3.10',
      salePrice: '7.99',
      status: 'PROCESSING',
    })
    const placed = await placeOrder(api, { userId: userIds[2]!, productIds: ['1'] })
    const came = await stream.next()
    expect(came).toMatchObject({ kind: 'DELTA', previousCursor: snapshot.cursor, removed: [] })
    expect(came.items.map(({ itemId }) => itemId)).toEqual(placed.itemIds)
    await changeStatus(placed.id, 'SHIPPED')
    const changed = await stream.next()
    expect(changed.items).toMatchObject([{ itemId: placed.itemIds[0], status: 'SHIPPED' }])
    await api.database.pool.query('delete from order_items where id = $1', [placed.itemIds[0]])
    const left = await stream.next()
    expect(left).toMatchObject({ items: [], removed: placed.itemIds, previousCursor: changed.cursor })
  })

  test('that grow old leave the window by themselves, and only then is something sent', async () => {
    const stream = watch<ItemsUpdate>(ITEMS, { lookback: 'PT2S' })
    const snapshot = await stream.next()
    expect(snapshot.items).toEqual([])
    const placed = await placeOrder(api, { userId: userIds[2]!, productIds: ['1', '2'] })
    const came = await stream.next()
    expect(came.items).toHaveLength(2)
    const left = await stream.next()
    expect(left.items).toEqual([])
    expect([...left.removed].sort()).toEqual([...placed.itemIds].sort())
  })

  test('on resuming, what changed and what left meanwhile is told, once', async () => {
    const stream = watch<ItemsUpdate>(ITEMS, { lookback: 'PT3S' })
    const snapshot = await stream.next()
    const gone = await placeOrder(api, { userId: userIds[0]!, productIds: ['1'] })
    const updates = await readUntil(stream, (all) => all.some(({ items }) => items.length > 0))
    const { cursor } = updates.at(-1)!
    stream.close()
    const held = new Set([...snapshot.items.map(({ itemId }) => itemId), ...gone.itemIds])
    for (const itemId of updates.flatMap(({ removed }) => removed)) held.delete(itemId)
    const soon = new Date(Date.now() + 60_000).toISOString()
    const kept = await placeOrder(api, { userId: userIds[0]!, productIds: ['2'], createdAt: soon })
    await expect
      .poll(
        async () =>
          (
            await api.database.pool.query("select now() - $1::timestamptz > interval '4 s' as old", [
              new Date(Date.parse(soon) - 60_000),
            ])
          ).rows[0].old,
        { timeout: 10_000 },
      )
      .toBe(true)
    const resumed = watch<ItemsUpdate>(ITEMS, { lookback: 'PT3S', after: cursor })
    const delta = await resumed.next()
    expect(delta).toMatchObject({ kind: 'DELTA', previousCursor: cursor })
    expect([...delta.removed].sort()).toEqual([...held].sort())
    expect(delta.items.map(({ itemId }) => itemId)).toEqual(kept.itemIds)
  })

  test('another server of the database takes over with the same cursor', async () => {
    const other = await startApi({ database: api.database })
    try {
      const stream = watch<ItemsUpdate>(ITEMS)
      const { cursor } = await stream.next()
      stream.close()
      const placed = await placeOrder(api, { userId: userIds[0]!, productIds: ['1'] })
      const taken = other.watch<ItemsUpdate>(ITEMS, { after: cursor })
      const delta = await taken.next()
      expect(delta).toMatchObject({ kind: 'DELTA', previousCursor: cursor })
      expect(delta.items.map(({ itemId }) => itemId)).toEqual(placed.itemIds)
      taken.close()
    } finally {
      await other.close()
    }
  })

  test('another server that knows less so far does not tell again what was told', async () => {
    const other = await startApi({ database: api.database })
    try {
      const kept = other.watch<ItemsUpdate>(ITEMS)
      await kept.next()
      const stream = watch<ItemsUpdate>(ITEMS)
      await stream.next()
      await placeOrder(api, { userId: userIds[0]!, productIds: ['1'] })
      const { cursor } = await stream.next()
      stream.close()
      const taken = other.watch<ItemsUpdate>(ITEMS, { after: cursor })
      await kept.next()
      const placed = await placeOrder(api, { userId: userIds[0]!, productIds: ['1'] })
      const delta = await taken.next()
      expect(delta).toMatchObject({ kind: 'DELTA', previousCursor: cursor })
      expect(delta.items.map(({ itemId }) => itemId)).toEqual(placed.itemIds)
    } finally {
      await other.close()
    }
  })

  test('on resuming after a row was deleted all are told, for nobody knows which one the client holds', async () => {
    const placed = await placeOrder(api, { userId: userIds[0]!, productIds: ['1', '2'] })
    const stream = watch<ItemsUpdate>(ITEMS)
    const { cursor, items } = await stream.next()
    stream.close()
    await api.database.pool.query('delete from order_items where id = $1', [placed.itemIds[0]])
    const snapshot = await watch<ItemsUpdate>(ITEMS, { after: cursor }).next()
    expect(snapshot).toMatchObject({ kind: 'SNAPSHOT', previousCursor: null })
    const ids = (of: Item[]) => of.map(({ itemId }) => itemId)
    expect(ids(snapshot.items)).toEqual(ids(items).filter((id) => id !== placed.itemIds[0]))
  })

  test('a row that is moved out of the window by hand leaves it for who watches, and for who was away', async () => {
    const placed = await placeOrder(api, { userId: userIds[0]!, productIds: ['1', '2'] })
    const moved = placed.itemIds[0]!
    const stream = watch<ItemsUpdate>(ITEMS)
    const { cursor, items } = await stream.next()
    expect(items.map(({ itemId }) => itemId)).toContain(moved)
    await api.database.pool.query(`update order_items set created_at = created_at - interval '1 hour' where id = $1`, [
      moved,
    ])
    await readUntil(stream, (all) => all.some(({ removed }) => removed.includes(moved)))
    const returned = await watch<ItemsUpdate>(ITEMS, { after: cursor }).next()
    expect(returned).toMatchObject({ kind: 'SNAPSHOT', previousCursor: null })
    expect(returned.items.map(({ itemId }) => itemId)).toEqual(
      items.map(({ itemId }) => itemId).filter((id) => id !== moved),
    )
    // What changes where it is leaves nothing behind.
    await changeStatus(placed.id, 'SHIPPED')
    const shipped = await watch<ItemsUpdate>(ITEMS, { after: returned.cursor }).next()
    expect(shipped).toMatchObject({ kind: 'DELTA', previousCursor: returned.cursor })
    expect(shipped.items.map(({ itemId }) => itemId)).toEqual([placed.itemIds[1]])
  })
})

describe('two messages of one operation', () => {
  test('are never closer than its every, however fast things change', async () => {
    const everyMs = 250
    // A message may lie a little in a buffer before it is read, and the next one not.
    const slackMs = 100
    const messages = 6
    const streams = [
      watch(ITEMS, { every: 'PT0.25S' }),
      watch('subscription { metrics(metrics: [ORDERS], window: "PT1M", every: "PT0.25S") { totals { value } } }'),
      watch('subscription { metrics(metrics: [REVENUE], window: "PT5M", by: COUNTRY, every: "PT0.25S") { cursor } }'),
    ]
    let reading = streams.length
    const arrivals = streams.map(async (stream) => {
      await stream.next()
      const at: number[] = []
      while (at.length < messages) {
        await stream.next()
        at.push(performance.now())
      }
      reading--
      return at
    })
    while (reading > 0) await placeOrder(api, { userId: userIds[0]!, productIds: ['1'] })
    for (const at of await Promise.all(arrivals)) {
      for (let i = 1; i < messages; i++) expect(at[i]! - at[i - 1]!).toBeGreaterThan(everyMs - slackMs)
      expect(at.at(-1)! - at[0]!).toBeGreaterThan((messages - 1) * everyMs - slackMs)
    }
  })
})

describe('a client that is cut off again and again', () => {
  test('holds what a fresh snapshot holds: deltas lose nothing and repeat nothing', async () => {
    const other = await startApi({ database: api.database })
    const variables = { lookback: 'PT1H' }
    const versions = new Set<string>()
    const held = new Map<string, Item>()
    let cursor: string | undefined
    let writing = true
    const apply = (update: ItemsUpdate) => {
      if (update.kind === 'SNAPSHOT') {
        expect(update.previousCursor).toBeNull()
        held.clear()
      } else {
        expect(update.previousCursor).toBe(cursor)
        for (const { itemId, status } of update.items) {
          const version = `${itemId} ${status}`
          expect(versions).not.toContain(version)
          versions.add(version)
        }
      }
      for (const id of update.removed) held.delete(id)
      for (const item of update.items) held.set(item.itemId, item)
      cursor = update.cursor
    }
    const write = async () => {
      const placed: string[] = []
      for (let i = 0; i < 60; i++) {
        const past = new Date(Date.now() - (i % 7) * 60_000).toISOString()
        placed.push((await placeOrder(api, { userId: userIds[i % 3]!, productIds: ['1', '2'], createdAt: past })).id)
        if (i % 3 === 2) await changeStatus(placed[i - 2]!, 'SHIPPED')
        if (i % 6 === 5) await changeStatus(placed[i - 5]!, 'COMPLETE')
      }
      writing = false
    }
    try {
      const written = write()
      for (let cut = 0; writing || cut < 5; cut++) {
        const reading = (cut % 2 ? other : api).watch<ItemsUpdate>(ITEMS, { ...variables, after: cursor })
        for (let read = 0; read <= cut % 3 && writing; read++) apply(await reading.next())
        reading.close()
      }
      await written
      const fresh = api.watch<ItemsUpdate>(ITEMS, variables)
      const { items, cursor: now } = await fresh.next()
      fresh.close()
      const last = other.watch<ItemsUpdate>(ITEMS, { ...variables, after: cursor })
      const same = () => items.every(({ itemId, status }) => held.get(itemId)?.status === status)
      while (!same()) apply(await last.next())
      last.close()
      expect(held.size).toBe(items.length)
      expect(now).toBeDefined()
    } finally {
      await other.close()
    }
  })
})

describe('any stream of rows', () => {
  test('is computed once for all who ask the same, and gone with the last of them', async () => {
    const one = watch<ItemsUpdate>(ITEMS)
    const two = watch<ItemsUpdate>(ITEMS)
    const other = watch<ItemsUpdate>(ITEMS, { lookback: 'PT1M' })
    await Promise.all([one.next(), two.next(), other.next()])
    expect(api.streams()).toMatchObject({ feeds: 2, subscribers: 3 })
    one.close()
    two.close()
    await expect.poll(() => api.streams()).toMatchObject({ feeds: 1, subscribers: 1 })
    other.close()
    await expect.poll(() => api.streams()).toMatchObject({ feeds: 0, subscribers: 0 })
  })

  test('begins with a snapshot for a cursor of other arguments', async () => {
    const stream = watch<MessagesUpdate>(MESSAGES, { severities: ['DANGER'] })
    const { cursor } = await stream.next()
    const other = await watch<MessagesUpdate>(MESSAGES, { after: cursor }).next()
    expect(other).toMatchObject({ kind: 'SNAPSHOT', previousCursor: null })
  })

  test('begins with a snapshot where the change log was trimmed past the cursor', async () => {
    const stream = watch<MessagesUpdate>(MESSAGES)
    const { cursor } = await stream.next()
    await postMessages(api, 'SUCCESS', ['trimmed away'])
    const held = watch<MessagesUpdate>(MESSAGES, { severities: ['WARNING'] })
    await held.next()
    await stream.next()
    await api.database.pool.query('select cagg.run_maintenance()')
    await api.database.pool.query(
      `with gone as (delete from cagg._changes returning xid)
       insert into cagg._trimmed (xid) select max(xid::text::numeric)::text::xid8 from gone
       on conflict (only_row) do update set xid = excluded.xid`,
    )
    expect(await watch<MessagesUpdate>(MESSAGES, { after: cursor }).next()).toMatchObject({ kind: 'SNAPSHOT' })
  })

  test.each([
    ['a cursor that is none', MESSAGES, { after: 'nonsense' }, /cursor/],
    ['a lookback of years', ITEMS, { lookback: 'P365D' }, /lookback/],
    ['an interval too short', ITEMS, { every: 'PT0.001S' }, /every/],
  ])('refuses %s with BAD_REQUEST', async (_what, query, variables, message) => {
    const error: Json = await watch(query, variables)
      .next()
      .then(
        () => undefined,
        (errors: unknown) => (errors as unknown[])[0],
      )
    expect(error?.extensions?.code).toBe('BAD_REQUEST')
    expect(error.message).toMatch(message)
  })

  test('ends with a reason where its window holds more rows than a stream may', async () => {
    const small = await startApi({ database: api.database, subscriptions: { rowsMax: 2 } })
    try {
      await expect(small.watch(ITEMS).next()).rejects.toMatchObject([{ extensions: { code: 'BAD_REQUEST' } }])
      await expect.poll(() => small.streams().feeds).toBe(0)
    } finally {
      await small.close()
    }
  })
})

test('statistics are sent again and again, one reading for all', async () => {
  const query = `subscription { stats(every: "PT0.1S") { at rowsAccepted subscribers } }`
  const one = watch<{ at: string; rowsAccepted: number }>(query)
  const two = watch<{ at: string; rowsAccepted: number }>(query)
  const first = await one.next()
  const second = await one.next()
  expect(second.at > first.at).toBe(true)
  expect(second.rowsAccepted).toBeGreaterThan(0)
  expect((await two.next()).at <= second.at).toBe(true)
})

test('statistics come at no more different intervals than there may be', async () => {
  const small = await startApi({ database: api.database, subscriptions: { feedsMax: 1 } })
  const at = (every: string) => small.watch(`subscription { stats(every: "${every}") { at } }`)
  try {
    const [one, same] = [at('PT1S'), at('PT1S')]
    await Promise.all([one.next(), same.next()])
    await expect(at('PT2S').next()).rejects.toMatchObject([{ extensions: { code: 'OVERLOADED', retryAfterMs: 5000 } }])
    one.close()
    same.close()
    await expect.poll(() => small.streams().subscribers).toBe(0)
    const other = at('PT2S')
    await other.next()
    other.close()
  } finally {
    await small.close()
  }
})
