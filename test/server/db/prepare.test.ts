import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, expect, inject, test } from 'vitest'
import { checkServer } from '../../../server/db/check.ts'
import type { Database } from '../../../server/db/index.ts'
import { inReadingOrder } from '../../../server/db/sqlFiles.ts'
import { prepareDatabase } from '../../../server/db/prepare.ts'
import { makeUpkeep } from '../../../server/db/upkeep.ts'
import { makeTestDatabase, type TestDatabaseOptions } from '../../support/database.ts'

const log = pino({ level: 'silent' })
const opened: Database[] = []
afterEach(async () => {
  for (const database of opened.splice(0)) await database.close()
})

async function open(options?: TestDatabaseOptions): Promise<Database> {
  const database = await makeTestDatabase(options)
  opened.push(database)
  return database
}

const prepare = (database: Database, rawRetentionDays = 30) =>
  prepareDatabase(log, { url: database.url, projectDir: inject('projectDir'), rawRetentionDays })

const partitionsOf = async ({ pool }: Database, table: string) =>
  (
    await pool.query(
      `select inhrelid::regclass::text as name from pg_inherits where inhparent = $1::regclass order by 1`,
      [table],
    )
  ).rows.map(({ name }: { name: string }) => name)

const dayName = (table: string, at: number) =>
  `${table}_p${new Date(at).toISOString().slice(0, 10).replaceAll('-', '')}`

test('servers that start at once on an empty database prepare it once', async () => {
  const database = await open({ content: 'empty' })
  await Promise.all([prepare(database), prepare(database), prepare(database)])
  const { rows } = await database.pool.query(
    'select migration_name, rolled_back_at from _prisma_migrations order by migration_name',
  )
  const folders = readdirSync(join(inject('projectDir'), 'prisma/migrations'), { withFileTypes: true })
  const migrations = folders.filter((folder) => folder.isDirectory()).map(({ name }) => name)
  expect(rows).toEqual(migrations.sort().map((name) => ({ migration_name: name, rolled_back_at: null })))
})

test('every start installs the SQL again and changes nothing', async () => {
  const database = await open()
  const snapshot = async () =>
    (
      await database.pool.query(
        `select 'function' as kind, oid::regprocedure::text as name, md5(pg_get_functiondef(oid)) as content
           from pg_proc where pronamespace = 'cagg'::regnamespace and prokind = 'f'
         union all
         select 'view', oid::regclass::text, md5(pg_get_viewdef(oid))
           from pg_class where relnamespace = 'metrics'::regnamespace and relkind = 'v'
         union all
         select 'trigger', tgrelid::regclass || ' ' || tgname, md5(pg_get_triggerdef(oid)) from pg_trigger where not tgisinternal
         order by 1, 2`,
      )
    ).rows
  const before = await snapshot()
  expect(before.filter(({ kind }) => kind === 'view').length).toBeGreaterThan(20)
  await prepare(database)
  expect(await snapshot()).toEqual(before)
})

test('days are there ahead of the rows, and a day past its time is dropped by the upkeep', async () => {
  const database = await open()
  const today = Date.now()
  const ahead = [0, 1, 2].map((days) => today + days * 86_400_000)
  for (const table of ['events', 'order_items']) {
    expect(await partitionsOf(database, table)).toEqual(expect.arrayContaining(ahead.map((at) => dayName(table, at))))
  }

  const old = today - 9 * 86_400_000
  await database.pool.query('select cagg.ensure_partitions($1, $2, $2)', ['events', new Date(old)])
  expect(await partitionsOf(database, 'events')).toContain(dayName('events', old))
  await prepare(database, 7)
  expect(await partitionsOf(database, 'events')).not.toContain(dayName('events', old))
})

test('upkeep that fails is tried again, and closing waits for the one that runs', async () => {
  const database = await open({ content: 'tables' })
  const failures: string[] = []
  const told = pino({ level: 'warn' }, { write: (line: string) => void failures.push(line) })
  const upkeep = makeUpkeep({ database, log: told }, { intervalMs: 1 })
  await expect.poll(() => failures.length).toBeGreaterThan(1)
  await upkeep.close()
  const ended = failures.length
  const connected = `select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`
  await expect.poll(async () => (await database.pool.query(connected)).rowCount).toBe(0)
  expect(failures.length).toBe(ended)
})

test('a PostgreSQL that is too old is refused in a sentence', async () => {
  const database = await open({ content: 'empty' })
  await expect(checkServer(database.url, 99)).rejects.toThrow(
    /^PostgreSQL at 127\.0\.0\.1:\d+ is version \d+\.\d+: Lookout needs 99 or later; upgrade it, or unset DATABASE_URL/,
  )
})

test('a role that may not create is refused in a sentence', async () => {
  const database = await open({ content: 'empty' })
  const role = `guest_${process.pid}`
  await database.pool.query(`create role ${role} login password 'guest'`)
  const url = new URL(database.url)
  url.username = role
  url.password = 'guest'
  await expect(checkServer(url.href)).rejects.toThrow(/may not create schemas in database "test_.*": run grant create/)
  await database.pool.query(`drop role ${role}`)
})

test('a view is installed after what it reads, whatever the names', () => {
  const files = [
    { name: 'a_1m', text: 'select from metrics.b_1s' },
    { name: 'b_1s', text: 'create metrics.b_1s as select from public.events' },
    { name: 'c_1d', text: 'select from metrics.a_1m' },
  ]
  expect(inReadingOrder(files.toReversed()).map(({ name }) => name)).toEqual(['b_1s', 'a_1m', 'c_1d'])
})

test('views that read each other in a circle are refused', () => {
  const files = [
    { name: 'a', text: 'metrics.b' },
    { name: 'b', text: 'metrics.a' },
  ]
  expect(() => inReadingOrder(files)).toThrow('Views read each other in a circle: a → b → a')
})
