// What becomes of a read whose database goes away, told by the driver's own words: here a way to PostgreSQL that can be cut.
import pg from 'pg'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Database } from '../../../server/db/index.ts'
import type { PrismaClient } from '../../../server/db/generated/prisma/client.ts'
import { makePrisma } from '../../../server/schema/prisma.ts'
import { makeMask } from '../../../server/transport/failures.ts'
import { makeReader } from '../../../server/windows/reader.ts'
import { makeTestDatabase } from '../../support/database.ts'
import { makeWay, type Way } from '../../support/way.ts'

let database: Database
let way: Way

beforeAll(async () => {
  database = await makeTestDatabase({ content: 'tables' })
  way = await makeWay(database.url)
})
afterAll(async () => {
  way.close()
  await database.close()
})

const mask = makeMask(pino({ level: 'silent' }))
const codeOf = (read: Promise<unknown>) =>
  read.then(
    () => 'answered',
    (error: unknown) => mask.error(error, 'request').extensions.code,
  )

/** Once PostgreSQL is at it, the way is cut. PostgreSQL sleeps on, so each statement has a name. */
async function cutUnder(name: string, read: Promise<unknown>): Promise<unknown> {
  const code = codeOf(read)
  const asleep = 'select from pg_stat_activity where query like $1 and pid <> pg_backend_pid()'
  await expect.poll(async () => (await database.pool.query(asleep, [`%as ${name}%`])).rowCount).toBe(1)
  way.cut()
  return code
}

test('a connection that is cut under a statement is UNAVAILABLE', async () => {
  const pool = new pg.Pool({ connectionString: way.url })
  pool.on('error', () => undefined)
  expect(await cutUnder('first', pool.query('select pg_sleep(100) as first'))).toBe('UNAVAILABLE')
  await pool.end()
})

test("so is one of the resolvers' own", async () => {
  const prisma = makePrisma(way.url)
  const read = (prisma as unknown as PrismaClient).$queryRaw`select 1 as second from pg_sleep(100)`
  expect(await cutUnder('second', Promise.resolve(read))).toBe('UNAVAILABLE')
  await prisma.close()
})

test('and one of those that says nothing more', async () => {
  const prisma = makePrisma(way.url, { connectionsMax: 1, statementTimeoutMs: 100 }) as ReturnType<typeof makePrisma> &
    PrismaClient
  const read = () => codeOf(Promise.resolve(prisma.$queryRaw`select 1`))
  expect(await read()).toBe('answered')
  way.hush()
  expect(await read()).toBe('UNAVAILABLE')
  expect(await read()).toBe('answered')
  await prisma.close()
})

test('so is a pool whose connections are all taken for too long', async () => {
  const pool = new pg.Pool({ connectionString: database.url, max: 1, connectionTimeoutMillis: 500 })
  const taken = await pool.connect()
  expect(await codeOf(pool.query('select 1'))).toBe('UNAVAILABLE')
  taken.release()
  await pool.end()
})

test('a read that another transaction stands in the way of is UNAVAILABLE, whoever asks', async () => {
  const [holder, pool] = [await database.pool.connect(), new pg.Pool({ connectionString: database.url })]
  await holder.query('begin; lock table users')
  const reader = makeReader({ database: { pool } }, { readersMax: 1, readTimeoutMs: 5_000, statementNamesMax: 1 })
  const options = '?options=-c%20lock_timeout%3D50'
  const prisma = makePrisma(`${database.url}${options}`) as ReturnType<typeof makePrisma> & PrismaClient
  expect(await codeOf(Promise.resolve(prisma.user.findFirst()))).toBe('UNAVAILABLE')
  const read = reader.read(async (client) => {
    await client.query('set local lock_timeout = 50')
    return client.query('select from users')
  })
  expect(await codeOf(read)).toBe('UNAVAILABLE')
  await holder.query('rollback')
  holder.release()
  await prisma.close()
  await pool.end()
})

test('a file that cannot be read is no database that is away', async () => {
  const fault = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES', syscall: 'open' })
  expect(mask.error(fault, 'request').extensions.code).toBe('INTERNAL')
})
