// Who may call, and what: over HTTP, SSE and WebSocket alike, for as long as the key is good and not a few seconds longer.
import { once } from 'node:events'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import { makeAccess } from '../../server/access/access.ts'
import type { Role } from '../../server/access/callers.ts'
import { createKey, forgetKeys, readKeys, revokeKey } from '../../server/access/keyTable.ts'
import { makeToken, readToken } from '../../server/access/token.ts'
import { openConnections } from '../../server/db/database.ts'
import { makeWay } from '../support/way.ts'
import { type Api, startApi } from './apiKit.ts'

const READ = '{ metricCatalogue { metric } }'
const WRITE = `mutation { trackEvents(events: [{ type: "page_view" }]) { accepted } }`
const STREAM = 'subscription { messages { kind } }'

let api: Api

beforeAll(async () => {
  api = await startApi()
})
afterAll(() => api.close())

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

async function makeKey(role: Role, expiresAt?: Date) {
  const { id, token } = await createKey(api.database.pool, { name: `a ${role}`, role, expiresAt })
  return { id, token, headers: bearer(token), revoke: () => revokeKey(api.database.pool, id) }
}

/** The code of the first error, or nothing where it was answered. */
const codeOf = async (query: string, headers?: Record<string, string>) =>
  (await api.post(query, {}, headers)).errors?.[0]?.extensions.code

/** A socket initialised with these: when it is, and how it ends. */
async function openSocket(connectionParams: object, headers: Record<string, string> = {}) {
  const socket = new WebSocket(`${api.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', { headers })
  const initialised = once(socket, 'message')
  const ended = once(socket, 'close').then(([code, reason]) => [code, String(reason)])
  initialised.catch(() => undefined)
  await once(socket, 'open')
  socket.send(JSON.stringify({ type: 'connection_init', payload: connectionParams }))
  return { initialised, ended }
}

const endOf = async (connectionParams: object) => (await openSocket(connectionParams)).ended

describe('as long as no key was ever made', () => {
  test('a server on loopback is open, whatever is sent', async () => {
    expect(await codeOf(READ)).toBeUndefined()
    expect(await codeOf(WRITE)).toBeUndefined()
    expect(await codeOf(READ, bearer(makeToken().token))).toBeUndefined()
    expect((await fetch(`${api.url}/metrics`)).status).toBe(200)
  })

  test('the first key closes it, and ends what was opened without one', async () => {
    const streams = [api.watch(STREAM), api.watchBySse(STREAM)]
    await Promise.all(streams.map((stream) => stream.next()))
    await makeKey('view')
    await Promise.all(streams.map((stream) => expect(stream.next()).rejects.toBeDefined()))
    expect(await codeOf(READ)).toBe('UNAUTHENTICATED')
    await expect.poll(() => api.streams().subscribers).toBe(0)
  })
})

describe('once there is a key', () => {
  test.each<[Role, Record<string, string | undefined>]>([
    ['ingest', { read: 'FORBIDDEN', write: undefined, metrics: '403' }],
    ['view', { read: undefined, write: 'FORBIDDEN', metrics: '403' }],
    ['admin', { read: undefined, write: undefined, metrics: '200' }],
  ])('one of the role %s may do what the role may, and no more', async (role, may) => {
    const { token, headers } = await makeKey(role)
    expect(await codeOf(READ, headers)).toBe(may.read)
    expect(await codeOf(WRITE, headers)).toBe(may.write)
    expect(String((await fetch(`${api.url}/metrics`, { headers })).status)).toBe(may.metrics)
    for (const connectionParams of [{ authorization: `Bearer ${token}` }, { Authorization: `bearer ${token}` }]) {
      const read = api.watch(STREAM, {}, api.socket(connectionParams))
      const write = api.watch(WRITE, {}, api.socket(connectionParams))
      if (may.read) await expect(read.next()).rejects.toMatchObject([{ extensions: { code: may.read } }])
      else expect(await read.next()).toMatchObject({ kind: 'SNAPSHOT' })
      if (may.write) await expect(write.next()).rejects.toMatchObject([{ extensions: { code: may.write } }])
      else expect(await write.next()).toMatchObject({ accepted: 1 })
      read.close()
      write.close()
    }
    const bySse = api.watchBySse(STREAM, {}, headers)
    if (may.read) await expect(bySse.next()).rejects.toBeDefined()
    else expect(await bySse.next()).toMatchObject({ kind: 'SNAPSHOT' })
    bySse.close()
  })

  test('a call without one, or with what is none, is 401 with the way to do it, and never reaches the schema', async () => {
    const stranger = makeToken().token
    const good = await makeKey('admin')
    // A known id proves nothing.
    const forged = `${good.token.slice(0, -1)}${good.token.endsWith('A') ? 'E' : 'A'}`
    for (const headers of [{}, bearer(stranger), bearer(forged), bearer('x'), { authorization: 'Basic eDp5' }]) {
      const answer = await api.post('{ nothing }', {}, headers as Record<string, string>)
      expect(answer.status).toBe(401)
      expect(answer.headers.get('www-authenticate')).toBe('Bearer')
      expect(answer.errors?.[0]?.extensions).toEqual({
        code: 'UNAUTHENTICATED',
        requestId: answer.headers.get('x-request-id'),
      })
    }
    expect((await fetch(`${api.url}/metrics`)).status).toBe(401)
    expect(await endOf({})).toEqual([4401, expect.stringContaining('API key is needed')])
    expect(await endOf(bearer(stranger))).toEqual([4401, expect.stringContaining('not known')])
    expect(await endOf({ authorization: { $ne: null } })).toEqual([4401, expect.stringContaining('not known')])
  })

  test('pages, health and readiness need none', async () => {
    for (const path of ['/health', '/ready']) expect((await fetch(`${api.url}${path}`)).status).toBe(200)
    expect((await fetch(`${api.url}/graphql`, { headers: { accept: 'text/html' } })).status).toBe(200)
  })

  test('a client that is no browser may send it with the upgrade as well', async () => {
    const { headers, revoke } = await makeKey('view')
    const { initialised, ended } = await openSocket({}, headers)
    await initialised
    await revoke()
    expect(await ended).toEqual([4401, 'The API key has ended.'])
  })

  test('it answers under the id of its key: idempotency keys of two callers do not meet', async () => {
    const call = `mutation { trackEvents(idempotencyKey: "same", events: [{ type: "page_view" }]) { accepted duplicates } }`
    const [one, other] = await Promise.all([makeKey('ingest'), makeKey('ingest')])
    expect((await api.post(call, {}, one.headers)).data.trackEvents).toEqual({ accepted: 1, duplicates: 0 })
    expect((await api.post(call, {}, other.headers)).data.trackEvents).toEqual({ accepted: 1, duplicates: 0 })
  })
})

describe('a key that ends', () => {
  test.each(['revoked by another process', 'expired'])('%s: its streams end, and no others', async (how) => {
    const ending = await makeKey('view', how === 'expired' ? new Date(Date.now() + 1_500) : undefined)
    const staying = await makeKey('view')
    const survivor = api.watch(STREAM, {}, api.socket(bearer(staying.token)))
    await survivor.next()
    const bySse = api.watchBySse(STREAM, {}, ending.headers)
    const bySocket = api.watch(STREAM, {}, api.socket(bearer(ending.token)))
    const bare = await openSocket(bearer(ending.token))
    await bare.initialised
    await Promise.all([bySse.next(), bySocket.next()])
    const endedWhen = how === 'expired' ? Date.now() + 1_500 : (await ending.revoke(), Date.now())
    expect(await bare.ended).toEqual([4401, 'The API key has ended.'])
    await expect(bySocket.next()).rejects.toMatchObject({ code: 4401 })
    await expect(bySse.next()).rejects.toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }])
    expect(Date.now() - endedWhen).toBeLessThan(5_000)
    expect(await codeOf(READ, ending.headers)).toBe('UNAUTHENTICATED')
    await expect.poll(() => api.streams().subscribers).toBe(1)
    survivor.close()
  })

  test('the end of the last key does not open the door; forgetting it does', async () => {
    for (const { id } of await readKeys(api.database.pool)) await revokeKey(api.database.pool, id)
    await expect.poll(() => api.access.hasKeys()).toBe(false)
    expect(await codeOf(READ)).toBe('UNAUTHENTICATED')
    await forgetKeys(api.database.pool)
    await expect.poll(() => codeOf(READ)).toBeUndefined()
  })
})

test('a lent key is good in this process alone, and in no table', async () => {
  await makeKey('view')
  const token = api.access.lend('shop', ['ingest', 'view'])
  expect(await codeOf(READ, bearer(token))).toBeUndefined()
  expect(await codeOf(WRITE, bearer(token))).toBeUndefined()
  expect((await fetch(`${api.url}/metrics`, { headers: bearer(token) })).status).toBe(403)
  expect((await readKeys(api.database.pool)).map(({ id }) => id)).not.toContain(readToken(token)?.id)
})

test('callers with what is no key have the keys read no more often than one caller would', async () => {
  const access = await makeAccess(
    { database: api.database, log: pino({ level: 'silent' }) },
    { openWithoutKeys: false, refreshMs: 60_000, readIntervalMs: 50 },
  )
  const startedAt = performance.now()
  const admit = () => access.admit(makeToken().token).catch((error: { code: string }) => error.code)
  for (let times = 0; times < 3; times++) {
    expect(new Set(await Promise.all([admit(), admit(), admit()]))).toEqual(new Set(['UNAUTHENTICATED']))
  }
  expect(performance.now() - startedAt).toBeGreaterThan(2 * 50)
  await access.close()
})

test('a key ends, too, where the connection that the keys were read on says nothing more', async () => {
  const way = await makeWay(api.database.url)
  const log = pino({ level: 'silent' })
  const database = await openConnections(log, { url: way.url, poolMax: 1, statementTimeoutMs: 100 })
  const { token, revoke } = await makeKey('view')
  const access = await makeAccess({ database, log }, { openWithoutKeys: false, refreshMs: 20 })
  await access.admit(token)
  way.hush()
  await revoke()
  await expect.poll(() => access.admit(token).catch(({ code }) => code), { timeout: 5_000 }).toBe('UNAUTHENTICATED')
  await access.close()
  await database.close()
  way.close()
})

test('what is kept of a key does not give it away', async () => {
  const { id, token } = await makeKey('admin')
  const kept = JSON.stringify((await readKeys(api.database.pool)).find((key) => key.id === id))
  expect(kept).not.toContain(token.split('_')[2])
  expect(api.logged.some((line) => JSON.stringify(line).includes(token))).toBe(false)
})
