// The writer among many callers: groups, limits, repeats, calls at fault, and the order of its end.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { makeIngest } from '../../server/ingest/ingest.ts'
import type { Call } from '../../server/writer/call.ts'
import { makeWriter } from '../../server/writer/writer.ts'
import { beginMarked, wasCommitted } from '../../server/writer/mark.ts'
import { runUpkeep } from '../../server/writer/upkeep.ts'
import { connectForTest } from '../support/database.ts'
import { caller, type Kit, makeKit, silent, user } from './ingestKit.ts'

let kit: Kit

beforeAll(async () => {
  kit = await makeKit({ queueRowsMax: 1_000, groupRowsMax: 500 })
})

beforeEach(async () => {
  await kit.rows('truncate events, event_keys, idempotency_keys')
})

afterAll(async () => {
  expect(await kit.drift()).toBe(0)
  await kit.close()
})

const events = (rows: number) => Array.from({ length: rows }, () => ({ type: 'page_view' }))
const stored = () => kit.count('select count(*) from events')

/** Holds all writes to a table back until it is released. */
async function lock(table: string): Promise<() => Promise<void>> {
  const client = await kit.database.connect()
  await client.query(`begin; lock table ${table} in share mode`)
  return async () => {
    await client.query('commit')
    await client.end()
  }
}

/** Resolves when a backend of the writer waits for a lock. */
async function untilBlocked(backends = 1): Promise<void> {
  const waiting = `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
  while ((await kit.count(waiting)) < backends) await new Promise((resolve) => setImmediate(resolve))
}

describe('groups', () => {
  it('writes many concurrent calls with few commits', async () => {
    const before = kit.commits()
    const calls = Array.from({ length: 300 }, () => kit.ingest.trackEvents(events(1), caller))
    const results = await Promise.all(calls)
    expect(results.every(({ accepted }) => accepted === 1)).toBe(true)
    expect(kit.commits() - before).toBeLessThanOrEqual(4)
    expect(await stored()).toBe(300)
  })

  it('acknowledges nothing before its commit, and pokes its listener first', async () => {
    const seen: string[] = []
    const writer = makeWriter({ database: kit.database, log: silent, onCommit: () => seen.push('commit') })
    const ingest = makeIngest({ writer })
    const release = await lock('events')
    const call = ingest.trackEvents(events(1), caller).then(() => seen.push('answer'))
    await untilBlocked()
    expect(seen).toEqual([])
    await release()
    await call
    expect(seen).toEqual(['commit', 'answer'])
    await writer.close()
  })

  it('keeps calls of different tables in one transaction, referred rows first', async () => {
    const userId = randomUUID()
    const orderId = randomUUID()
    const before = kit.commits()
    const results = await Promise.all([
      kit.ingest.recordUserMetrics([{ userId, pageViews: 1, duration: 5 }], caller),
      kit.ingest.changeOrderStatuses([{ orderId, status: 'SHIPPED' }], caller),
      kit.ingest.placeOrders([{ id: orderId, userId, items: [{ productId: '1' }] }], caller),
      kit.ingest.registerUsers([user(userId)], caller),
    ])
    expect(results.map(({ accepted }) => accepted)).toEqual([1, 1, 1, 1])
    expect(kit.commits() - before).toBe(1)
  })
})

describe('limits', () => {
  it('answers OVERLOADED with a time to wait when the queue is full, and takes rows again once it has room', async () => {
    const release = await lock('events')
    const first = kit.ingest.trackEvents(events(600), caller)
    const second = kit.ingest.trackEvents(events(400), caller)
    const third = kit.ingest.trackEvents(events(1), caller)
    await expect(third).rejects.toMatchObject({
      code: 'OVERLOADED',
      extensions: { code: 'OVERLOADED', retryAfterMs: expect.any(Number) as number },
    })
    expect(kit.writer.stats()).toMatchObject({ queueRows: 1_000, queueRowsMax: 1_000 })
    await release()
    await Promise.all([first, second])
    expect(kit.writer.stats().queueRows).toBe(0)
    expect(await kit.ingest.trackEvents(events(1), caller)).toMatchObject({ accepted: 1 })
    expect(await stored()).toBe(1_001)
  })

  it('takes no more while a call has waited too long, and again once it is written', async () => {
    const writer = makeWriter({ database: kit.database, log: silent }, { queueWaitMsMax: 20, connections: 1 })
    const ingest = makeIngest({ writer })
    const release = await lock('events')
    const writing = ingest.trackEvents(events(1), caller)
    await untilBlocked()
    const waiting = ingest.trackEvents(events(1), caller)
    const untilRefused = async () => {
      for (;;) {
        const { assertRoom } = writer
        try {
          assertRoom(1)
        } catch (error) {
          return error
        }
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }
    expect(await untilRefused()).toMatchObject({ code: 'OVERLOADED' })
    await release()
    await Promise.all([writing, waiting])
    expect(await ingest.trackEvents(events(1), caller)).toMatchObject({ accepted: 1 })
    await writer.close()
  })

  it('bounds the queue in bytes too', async () => {
    const writer = makeWriter({ database: kit.database, log: silent }, { queueBytesMax: 100_000 })
    const ingest = makeIngest({ writer })
    const release = await lock('events')
    const large = { type: 'x', properties: 'y'.repeat(16_000) }
    const calls = Array.from({ length: 10 }, () => ingest.trackEvents([large], caller))
    const settled = Promise.allSettled(calls)
    await untilBlocked()
    await release()
    const codes = (await settled).map((call) =>
      call.status === 'rejected' ? (call.reason as { code: string }).code : 'ok',
    )
    expect(codes).toEqual([...Array<string>(6).fill('ok'), ...Array<string>(4).fill('OVERLOADED')])
    await writer.close()
  })
})

describe('repeats', () => {
  it('gives the first answer, word for word, to the same key and rows, and refuses other rows', async () => {
    const origin = { caller: 'shop', idempotencyKey: 'a' }
    const rows = [{ type: 'x', id: randomUUID() }, { type: '' }, { type: 'x', properties: { b: 1, a: 2 } }]
    const first = await kit.ingest.trackEvents(rows, origin)
    expect(first).toMatchObject({ accepted: 2, rejected: [{ index: 1 }] })
    expect(await kit.ingest.trackEvents(structuredClone(rows), origin)).toEqual(first)
    await expect(kit.ingest.trackEvents(rows.slice(1), origin)).rejects.toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
    })
    expect(await stored()).toBe(2)
    expect(await kit.ingest.trackEvents(rows, { ...origin, caller: 'other' })).toMatchObject({
      accepted: 1,
      duplicates: 1,
    })
    expect(await kit.ingest.ingestEvents(rows, origin)).toMatchObject({ accepted: 1, duplicates: 1 })
  })

  it('writes one of many concurrent calls with one key, on several servers, and answers all alike', async () => {
    const other = makeWriter({ database: kit.database, log: silent })
    const ingests = [kit.ingest, makeIngest({ writer: other })]
    const origin = { caller: 'shop', idempotencyKey: 'race' }
    const calls = Array.from({ length: 20 }, (_, at) => ingests[at % 2]?.trackEvents(events(3), origin))
    const answers = await Promise.all(calls)
    expect(answers).toEqual(Array(20).fill({ accepted: 3, duplicates: 0, rejected: [] }))
    expect(await stored()).toBe(3)
    await other.close()
  })

  it('takes a key past its 24 hours as new', async () => {
    const origin = { caller: 'shop', idempotencyKey: 'old' }
    await kit.ingest.trackEvents(events(1), origin)
    await kit.rows(`update idempotency_keys set created_at = now() - interval '25 hours'`)
    expect(await kit.ingest.trackEvents(events(2), origin)).toMatchObject({ accepted: 2 })
    expect(await kit.ingest.trackEvents(events(2), origin)).toMatchObject({ accepted: 2 })
    expect(await stored()).toBe(3)
  })

  it('remembers a call whose rows were all rejected', async () => {
    const origin = { caller: 'shop', idempotencyKey: 'bad' }
    const answer = await kit.ingest.trackEvents([{ type: '' }], origin)
    await expect(kit.ingest.trackEvents(events(1), origin)).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' })
    expect(await kit.ingest.trackEvents([{ type: '' }], origin)).toEqual(answer)
  })

  it('writes an id once when two servers get it at the same time, in opposite orders', async () => {
    const other = makeWriter({ database: kit.database, log: silent })
    const ids = Array.from({ length: 200 }, () => randomUUID())
    const forwards = ids.map((id) => ({ type: 'x', id }))
    const users = ids.map((id) => user(id))
    const answers = await Promise.all([
      kit.ingest.trackEvents(forwards, caller),
      makeIngest({ writer: other }).trackEvents(forwards.toReversed(), caller),
      kit.ingest.registerUsers(users, caller),
      makeIngest({ writer: other }).registerUsers(users.toReversed(), caller),
    ])
    expect(answers[0].accepted + answers[1].accepted).toBe(200)
    expect(answers[2].accepted + answers[3].accepted).toBe(200)
    expect(answers.map(({ accepted, duplicates }) => accepted + duplicates)).toEqual([200, 200, 200, 200])
    expect(await stored()).toBe(200)
    await other.close()
  })

  it('forgets keys and event ids past their time', async () => {
    const writer = makeWriter({ database: kit.database, log: silent }, { upkeepIntervalMs: 0, rawRetentionDays: 10 })
    const ingest = makeIngest({ writer })
    const old = `now() - interval '13 days'`
    await kit.rows(`insert into event_keys values (gen_random_uuid(), ${old}), (gen_random_uuid(), now())`)
    await kit.rows(
      `insert into idempotency_keys values ('f', 'c', 'k', 'h', '1', ${old}), ('f', 'c', 'l', 'h', '1', now())`,
    )
    await ingest.trackEvents(events(1), caller)
    await writer.close()
    expect(await kit.count('select count(*) from event_keys')).toBe(1)
    expect(await kit.count(`select count(*) from idempotency_keys where field = 'f'`)).toBe(1)
  })

  it('forgets as many as there are, some after each group', async () => {
    await kit.rows(
      `insert into event_keys select gen_random_uuid(), now() - interval '13 days' from generate_series(1, 45000)`,
    )
    const client = await connectForTest(kit.database)
    expect([await runUpkeep(client, 10), await runUpkeep(client, 10), await runUpkeep(client, 10)]).toEqual([
      true,
      true,
      false,
    ])
    expect(await kit.count(`select count(*) from event_keys where created_at < now() - interval '12 days'`)).toBe(0)
  })

  it('tell by its mark whether a transaction was committed, and wait for one that has not ended', async () => {
    const [writing, asking] = [await connectForTest(kit.database), await connectForTest(kit.database)]
    const first = await beginMarked(writing)
    const answer = wasCommitted(asking, first, 5_000)
    await writing.query('commit')
    expect(await answer).toBe(true)
    const second = await beginMarked(writing)
    await writing.query('rollback')
    expect(await wasCommitted(asking, second, 5_000)).toBe(false)
    // Another transaction of the same connection says nothing of this one.
    expect(await wasCommitted(asking, { ...first, id: randomUUID() }, 5_000)).toBe(false)
    const third = await beginMarked(writing)
    await expect(wasCommitted(asking, third, 50)).rejects.toThrow('statement timeout')
  })
})

describe('calls at fault', () => {
  it('fails the call that PostgreSQL refuses, alone', async () => {
    const poisoned: Call = {
      table: 'events',
      rows: { text: Buffer.from('no uuid\t2026-01-01\n'), lineCount: 1, keyed: [] },
      rowCount: 1,
      bytes: 100,
      rejected: [],
    }
    const calls = Array.from({ length: 20 }, (_, at) =>
      at === 7 ? kit.writer.write(poisoned) : kit.ingest.trackEvents(events(2), caller),
    )
    const settled = await Promise.allSettled(calls)
    expect(settled.flatMap((call, at) => (call.status === 'rejected' ? [at] : []))).toEqual([7])
    expect(settled[7]).toMatchObject({ reason: { code: 'BAD_REQUEST' } })
    expect(await stored()).toBe(38)
    expect(kit.writer.stats().queueRows).toBe(0)
  })

  it('makes a partition again that was dropped behind its back', async () => {
    const timestamp = new Date(Date.now() - 9 * 86_400_000)
    await kit.ingest.trackEvents([{ type: 'x', timestamp }], caller)
    await kit.rows(`drop table events_p${timestamp.toISOString().slice(0, 10).replaceAll('-', '')}`)
    expect(await kit.ingest.trackEvents([{ type: 'x', timestamp }], caller)).toMatchObject({ accepted: 1 })
    await kit.rows(
      `select cagg.refresh_continuous_aggregate(view_name, null::timestamptz, null) from cagg.continuous_aggregates`,
    )
  })
})

describe('stats', () => {
  it('counts rows by outcome, the rate and the commit latency', async () => {
    const before = kit.writer.stats()
    const id = randomUUID()
    await kit.ingest.trackEvents([{ type: 'x', id }, { type: 'x', id }, { type: '' }, { type: 'x' }], caller)
    await kit.ingest.trackEvents([{ type: '' }], caller)
    for (const _ of [1, 2]) await kit.ingest.trackEvents(events(5), { ...caller, idempotencyKey: 'counted once' })
    const stats = kit.writer.stats()
    expect(stats.rowsAccepted - before.rowsAccepted).toBe(7)
    expect(stats.rowsDuplicate - before.rowsDuplicate).toBe(6)
    expect(stats.rowsRejected - before.rowsRejected).toBe(2)
    expect(stats.rowsPerSecond).toBeGreaterThan(0)
    expect(stats.commitLatencyMs).toBeGreaterThan(0)
  })
})

describe('close', () => {
  it('writes what is queued, refuses what comes after, and leaves no connection', async () => {
    const writer = makeWriter({ database: kit.database, log: silent }, { groupRowsMax: 10 })
    const ingest = makeIngest({ writer })
    const calls = Array.from({ length: 50 }, () => ingest.trackEvents(events(5), caller))
    const closed = writer.close()
    await expect(ingest.trackEvents(events(1), caller)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(writer.ready()).toBe(false)
    await closed
    expect((await Promise.all(calls)).every(({ accepted }) => accepted === 5)).toBe(true)
    expect(await stored()).toBe(250)
  })

  it('answers UNAVAILABLE to what it cannot write within its time', async () => {
    const writer = makeWriter({ database: kit.database, log: silent }, { drainTimeoutMs: 50, connections: 1 })
    const ingest = makeIngest({ writer })
    const release = await lock('events')
    const written = ingest.trackEvents(events(1), caller)
    await untilBlocked()
    const queued = ingest.trackEvents(events(1), caller)
    const outcomes = Promise.allSettled([written, queued])
    await writer.close()
    await release()
    expect(await outcomes).toMatchObject([{ reason: { code: 'UNAVAILABLE' } }, { reason: { code: 'UNAVAILABLE' } }])
  })
})
