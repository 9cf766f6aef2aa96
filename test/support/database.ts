// A database of one's own for a test file: a clone of one that is ready made, dropped afterwards.
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { pino } from 'pino'
import { inject, onTestFinished } from 'vitest'
import { type Database, openConnections } from '../../server/db/database.ts'

const templates = { full: 'lookout_full', tables: 'lookout_tables', empty: 'template0' }

export interface TestDatabaseOptions {
  /** full: tables, engine and views; tables: without the SQL of sql/; empty: nothing at all. */
  content?: keyof typeof templates
  poolMax?: number
}

/** Close it in `afterAll`; closing drops it. */
export async function makeTestDatabase({
  content = 'full',
  poolMax = 10,
}: TestDatabaseOptions = {}): Promise<Database> {
  const fault = inject('sqlFault')
  if (content === 'full' && fault) throw new Error(fault)
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await administer(`create database ${name} template ${templates[content]}`)
  return openConnections(pino({ level: 'silent' }), {
    url: inject('clusterUrl') + name,
    poolMax,
    afterwards: () => administer(`drop database ${name} with (force)`),
  })
}

/** A connection of its own that ends with the test. */
export async function connectForTest(database: Database): Promise<pg.Client> {
  const client = await database.connect()
  onTestFinished(() => client.end())
  return client
}

async function administer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: `${inject('clusterUrl')}postgres` })
  await client.connect()
  await client.query(sql).finally(() => client.end())
}
