import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { Database } from '../../../server/db/index.ts'
import { openMigrations } from '../../../server/db/migrations.ts'
import { makeTestDatabase } from '../../support/database.ts'

let database: Database

beforeAll(async () => {
  database = await makeTestDatabase()
})
afterAll(() => database.close())

test('schema.prisma and the migrations agree', async () => {
  const migrations = await openMigrations(inject('projectDir'), database.url)
  expect(await migrations.driftOfMigrations()).toBe('')
  await migrations.close()
})

test('schema.prisma and a database with migrations, engine, views and partitions agree', async () => {
  const migrations = await openMigrations(inject('projectDir'), database.url)
  expect(await migrations.driftOfDatabase()).toBe('')
  expect(await migrations.apply()).toEqual([])
  await migrations.close()
})

test('events and order_items are partitioned by day', async () => {
  const { rows } = await database.pool.query(
    `select partrelid::regclass::text as name, pg_get_partkeydef(partrelid) as key
       from pg_partitioned_table where partrelid::regclass::text in ('events', 'order_items') order by 1`,
  )
  expect(rows).toEqual([
    { name: 'events', key: 'RANGE (created_at)' },
    { name: 'order_items', key: 'RANGE (created_at)' },
  ])
})
