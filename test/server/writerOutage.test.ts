// The writer when PostgreSQL goes away: what is answered, what is kept, and how it comes back. Over a real socket that is
// cut at chosen moments, and with a PostgreSQL of its own that is stopped and started.
import { randomUUID } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest'
import { openConnections } from '../../server/db/database.ts'
import { startCluster } from '../../server/db/embedded/cluster.ts'
import { prepareDatabase } from '../../server/db/prepare.ts'
import { type Ingest, makeIngest } from '../../server/ingest/ingest.ts'
import { makeWriter, type Writer } from '../../server/writer/writer.ts'
import { caller, type Kit, makeKit, silent } from './ingestKit.ts'

const quickly = { reconnectDelayMinMs: 10, reconnectDelayMaxMs: 50 }
const event = (more: object = {}) => [{ type: 'page_view', ...more }]

/** Resolves when the writer can write (or cannot). */
async function untilReady(writer: Writer, ready = true): Promise<void> {
  while (writer.ready() !== ready) await new Promise((resolve) => setTimeout(resolve, 5))
}

type Cut = 'before' | 'after'

/** A socket between writer and PostgreSQL that breaks when a given statement passes, before or after it is handed on. */
async function makeCutter(host: string, port: number) {
  let armed: { statement: string; when: Cut } | null = null
  let refusing = false
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    if (refusing) return void client.destroy()
    const upstream = connect(port, host)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.end()
      })
    }
    upstream.pipe(client)
    client.on('data', (chunk) => {
      if (!armed || !chunk.toString('latin1').includes(armed.statement)) return void upstream.write(chunk)
      const { when } = armed
      armed = null
      if (when === 'before') return void client.destroy()
      // PostgreSQL gets the statement and does it; its answer goes nowhere.
      upstream.unpipe(client)
      upstream.write(chunk, () => client.destroy())
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    /** Lets no new connection through. */
    refuse: (refuse: boolean) => (refusing = refuse),
    cut: (statement: string, when: Cut) => (armed = { statement, when }),
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

describe('a connection that breaks', () => {
  let kit: Kit
  let writer: Writer
  let ingest: Ingest
  let cutter: Awaited<ReturnType<typeof makeCutter>>

  beforeAll(async () => {
    kit = await makeKit()
  })

  afterAll(async () => {
    expect(await kit.drift()).toBe(0)
    await kit.close()
  })

  beforeEach(async () => {
    const url = new URL(kit.database.url)
    cutter = await makeCutter(url.hostname, Number(url.port))
    url.host = `127.0.0.1:${cutter.port}`
    const database = await openConnections(silent, { url: url.href, poolMax: 1 })
    writer = makeWriter({ database, log: silent }, { ...quickly, connections: 1, doubtTimeoutMs: 1_000 })
    ingest = makeIngest({ writer })
    await ingest.trackEvents(event(), caller)
    return async () => {
      await writer.close()
      cutter.close()
      await database.close()
    }
  })

  const stored = (id: string) => kit.count('select count(*) from events where id = $1', [id])

  it('costs nothing in the middle of a group: it is written again on a new one', async () => {
    const id = randomUUID()
    cutter.cut('copy public.events', 'before')
    expect(await ingest.trackEvents(event({ id }), caller)).toEqual({ accepted: 1, duplicates: 0, rejected: [] })
    expect(await stored(id)).toBe(1)
  })

  it('is asked, on a new one, what became of a commit it took with it', async () => {
    const id = randomUUID()
    cutter.cut('commit', 'after')
    expect(await ingest.trackEvents(event({ id }), caller)).toEqual({ accepted: 1, duplicates: 0, rejected: [] })
    expect(await stored(id)).toBe(1)
  })

  it('is asked too where the commit did not come through, and the group is written again', async () => {
    const id = randomUUID()
    cutter.cut('commit', 'before')
    expect(await ingest.trackEvents(event({ id }), caller)).toEqual({ accepted: 1, duplicates: 0, rejected: [] })
    expect(await stored(id)).toBe(1)
  })

  it('leaves a commit in doubt as UNAVAILABLE when the database stays away, and sending it again is safe', async () => {
    const id = randomUUID()
    cutter.cut('commit', 'after')
    cutter.refuse(true)
    await expect(ingest.trackEvents(event({ id }), caller)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    cutter.refuse(false)
    await untilReady(writer)
    expect(await ingest.trackEvents(event({ id }), caller)).toEqual({ accepted: 0, duplicates: 1, rejected: [] })
    expect(await stored(id)).toBe(1)
  })

  it('is broken off when a group takes too long', async () => {
    const impatient = makeWriter({ database: kit.database, log: silent }, { ...quickly, groupTimeoutMs: 1_000 })
    const client = await kit.database.connect()
    await client.query('begin; lock table events in share mode')
    await expect(makeIngest({ writer: impatient }).trackEvents(event(), caller)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    })
    await client.query('commit')
    await client.end()
    expect(await makeIngest({ writer: impatient }).trackEvents(event(), caller)).toMatchObject({ accepted: 1 })
    await impatient.close()
  })
})

describe('a PostgreSQL that stops', () => {
  it('is answered with UNAVAILABLE, and once it is back rows are taken again, none twice', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'lookout-outage-'))
    chmodSync(dir, 0o755)
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
    const start = (port?: number) => startCluster(silent, { clusterDir: join(dir, 'pg'), durable: false, port })
    let cluster = await start()
    onTestFinished(() => cluster.close())
    const url = cluster.url('postgres')
    await prepareDatabase(silent, { url, projectDir: inject('projectDir') })
    const database = await openConnections(silent, { url, poolMax: 1 })
    const writer = makeWriter({ database, log: silent }, quickly)
    onTestFinished(async () => {
      await writer.close()
      await database.close()
    })
    const ingest = makeIngest({ writer })

    const sent: string[] = []
    const acknowledged = new Set<string>()
    const codes = new Set<string>()
    let stopped = false
    const send = async () => {
      while (!stopped) {
        const id = randomUUID()
        sent.push(id)
        try {
          await ingest.trackEvents(event({ id }), caller)
          acknowledged.add(id)
        } catch (error) {
          codes.add((error as { code: string }).code)
          await new Promise((resolve) => setTimeout(resolve, 5))
        }
      }
    }
    const senders = Array.from({ length: 8 }, send)
    await ingest.trackEvents(event(), caller)
    await cluster.close()
    await untilReady(writer, false)
    await expect(ingest.trackEvents(event(), caller)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      extensions: { retryAfterMs: expect.any(Number) as number },
    })
    // At most the group whose commit is in doubt.
    expect(writer.stats().queueRows).toBeLessThanOrEqual(senders.length)

    cluster = await start(cluster.port)
    await untilReady(writer)
    const before = acknowledged.size
    await ingest.trackEvents(event(), caller)
    while (acknowledged.size === before) await new Promise((resolve) => setTimeout(resolve, 5))
    stopped = true
    await Promise.all(senders)

    expect([...codes]).toEqual(['UNAVAILABLE'])
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    const { rows } = await client.query<{ id: string }>('select id from events')
    await client.end()
    const stored = rows.map(({ id }) => id).filter((id) => sent.includes(id))
    expect(new Set(stored)).toEqual(acknowledged)
    expect(stored.length).toBe(acknowledged.size)
  }, 60_000)
})
