import { readFileSync } from 'node:fs'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeDataDir, type ServerProcess, startServer } from '../support/server.ts'

const home = makeDataDir()
const env = { LOOKOUT_DATA_DIR: home.path, LOOKOUT_SHOP: 'on', LOOKOUT_SHOP_RATE: '5', LOOKOUT_SHOP_BACKFILL: '5m' }
let server: ServerProcess

beforeAll(async () => {
  server = await startServer(env)
})
afterAll(async () => {
  await server.stop()
  home.remove()
})

/** The process ids of the children of the server that run the shop. */
function shops(): number[] {
  const children = readFileSync(`/proc/${server.child.pid}/task/${server.child.pid}/children`, 'utf8')
  return children
    .split(' ')
    .map(Number)
    .filter((pid) => pid > 0 && commandOf(pid).includes('shop/main'))
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}

async function query<Row extends object>(text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: server.databaseUrl })
  await client.connect()
  const { rows } = await client.query<Row>(text).finally(() => client.end())
  return rows
}

async function count(rows: string): Promise<number> {
  return (await query<{ count: number }>(`select count(*)::int from ${rows}`))[0]?.count ?? 0
}

const soon = { timeout: 90_000, interval: 100 }

test('an empty database gets a shop with a catalogue, a past and a present', async () => {
  await expect.poll(shops, soon).toHaveLength(1)
  expect(commandOf(shops()[0] ?? 0)).toMatch(/--rate 5 --backfill 5m/)
  await expect.poll(() => count('orders'), soon).toBeGreaterThan(100)
  expect(await count('products')).toBe(29_120)
})

test('a shop that dies is started again, without a past', async () => {
  const [first = 0] = shops()
  process.kill(first, 'SIGKILL')
  await expect.poll(() => shops().filter((pid) => pid !== first), soon).toHaveLength(1)
  expect(commandOf(shops()[0] ?? 0)).not.toContain('--backfill')
})

test('the shop ends with a server that was told to stop', async () => {
  const [shop = 0] = shops()
  expect(await server.stop('SIGINT')).toBe(0)
  expect(commandOf(shop)).toBe('')
})

test('a later start goes on where the first stopped, and its shop ends even when the server is killed', async () => {
  server = await startServer({ ...env, LOOKOUT_SHOP: 'off' })
  // It goes on from the newest order it finds: the time since is filled, and what lies before is as it was.
  const [newest] = await query<{ at: string }>('select max(created_at)::text as at from orders')
  const past = await count(`events where created_at < '${newest?.at}'`)
  const all = await count('events')
  await server.stop()
  server = await startServer(env)
  await expect.poll(shops, soon).toHaveLength(1)
  const [shop = 0] = shops()
  await expect.poll(() => count('events'), soon).toBeGreaterThan(all + 20)
  expect(await count(`events where created_at < '${newest?.at}'`)).toBe(past)
  await server.stop('SIGKILL')
  await expect.poll(() => commandOf(shop), soon).toBe('')
  server = await startServer({ ...env, LOOKOUT_SHOP: 'off' })
  expect(shops()).toEqual([])
})
