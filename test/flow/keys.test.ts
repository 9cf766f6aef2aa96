// A server that others can reach: not without a key, which a command makes; its own shop has one of its own.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { Database } from '../../server/db/index.ts'
import { makeTestDatabase } from '../support/database.ts'
import { runServer, type ServerProcess, startServer } from '../support/server.ts'

const run = promisify(execFile)

let database: Database
let server: ServerProcess | undefined

beforeAll(async () => {
  database = await makeTestDatabase()
})
afterAll(async () => {
  await server?.stop()
  await database.close()
})

const keys = (...args: string[]) =>
  run(process.execPath, ['--import', 'tsx', 'scripts/keys.ts', ...args], {
    cwd: inject('projectDir'),
    env: { PATH: process.env.PATH, DATABASE_URL: database.url },
  })

test('bound to another address, a server without a key does not start, and says how to make one', async () => {
  const refused = runServer({ HOST: '0.0.0.0', DATABASE_URL: database.url, LOG_LEVEL: 'silent' })
  expect(await refused.exited).toBe(1)
  expect(refused.stdout()).toBe('')
  expect(refused.stderr()).toMatch(/^HOST 0\.0\.0\.0 can be reached .* npm run keys -- create .*\n$/)
})

test('with one it starts, answers its holder alone, and its shop writes with a key of its own', async () => {
  const { stdout: token, stderr } = await keys('create', '--role', 'view', '--name', 'wall screen', '--expires', '90d')
  const id = /^Key (\w+) for "wall screen" \(view\)/.exec(stderr)?.[1] ?? ''
  server = await startServer({
    HOST: '0.0.0.0',
    DATABASE_URL: database.url,
    LOOKOUT_SHOP: 'on',
    LOOKOUT_SHOP_BACKFILL: '1m',
  })
  const url = server.url.replace('0.0.0.0', '127.0.0.1')
  const rowsAccepted = async (headers: Record<string, string>) => {
    const response = await fetch(`${url}/graphql?query={stats{rowsAccepted}}`, { headers })
    const { data } = (await response.json()) as { data?: { stats: { rowsAccepted: number } } }
    return data?.stats.rowsAccepted ?? response.status
  }
  const headers = { authorization: `Bearer ${token.trim()}` }
  await expect.poll(() => rowsAccepted(headers), { timeout: 60_000 }).toBeGreaterThan(100)
  expect(await rowsAccepted({})).toBe(401)

  const askedAt = Date.now()
  expect((await keys('list')).stdout).toMatch(new RegExp(`${id} +view .* good until .* wall screen`))
  // It ends once it has told.
  expect(Date.now() - askedAt).toBeLessThan(8_000)
  await keys('revoke', id)
  const revokedAt = Date.now()
  await expect.poll(() => rowsAccepted(headers), { timeout: 10_000 }).toBe(401)
  expect(Date.now() - revokedAt).toBeLessThan(5_000)
  expect((await keys('list')).stdout).toMatch(/revoked/)
})

test('the command tells what is wrong with what it was given, all at once', async () => {
  await expect(keys('create', '--role', 'owner', '--expires', 'soon')).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/--role must be.*\n--name must.*\n--expires must/),
  })
  await expect(keys('revoke', 'nobody')).rejects.toMatchObject({ stderr: expect.stringMatching(/no key nobody/) })
})
