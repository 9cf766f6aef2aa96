// A database with a few users and products, and the ingest step on it: what the tests of ingest and writer start from.
import { randomUUID } from 'node:crypto'
import { graphql, type GraphQLError, type GraphQLSchema } from 'graphql'
import { pino } from 'pino'
import type { Database } from '../../server/db/database.ts'
import { addIngestMutations } from '../../server/ingest/graphql.ts'
import { type Ingest, makeIngest } from '../../server/ingest/ingest.ts'
import { makeBuilder } from '../../server/schema/builder.ts'
import type { IngestResult } from '../../server/writer/call.ts'
import { makeWriter, type Writer, type WriterOptions } from '../../server/writer/writer.ts'
import { makeTestDatabase } from '../support/database.ts'

export const silent = pino({ level: 'silent' })
export const caller = { caller: 'test' }

export interface Kit {
  database: Database
  writer: Writer
  ingest: Ingest
  /** Ids of three registered users. */
  userIds: [string, string, string]
  /** Commits seen by the writer's callback. */
  commits(): number
  /** One number from the database. */
  count(sql: string, values?: unknown[]): Promise<number>
  rows<Row>(sql: string, values?: unknown[]): Promise<Row[]>
  /** Rows by which any continuous aggregate differs from its definition. */
  drift(): Promise<number>
  close(): Promise<void>
}

export const user = (id: string, more: object = {}) => ({
  id,
  firstName: 'Ada',
  lastName: 'Lovelace',
  email: 'ada@example.com',
  age: 36,
  gender: 'F',
  country: 'United Kingdom',
  trafficSource: 'Search',
  ...more,
})

export const product = (id: string, more: object = {}) => ({
  id,
  cost: '10.00',
  category: 'Jeans',
  name: 'Blue jeans',
  brand: 'Acme',
  retailPrice: '24.50',
  department: 'Women',
  sku: 'A'.repeat(32),
  distributionCenterId: '1',
  ...more,
})

export async function makeKit(options: Partial<WriterOptions> = {}): Promise<Kit> {
  const database = await makeTestDatabase()
  let commits = 0
  const writer = makeWriter({ database, log: silent, onCommit: () => (commits += 1) }, options)
  const ingest = makeIngest({ writer })
  const userIds: Kit['userIds'] = [randomUUID(), randomUUID(), randomUUID()]
  await ingest.upsertDistributionCenters(
    [{ id: '1', name: 'Memphis TN', latitude: 35.1174, longitude: -89.9711 }],
    caller,
  )
  await ingest.upsertProducts([product('1'), product('2', { retailPrice: '99.99', department: 'Men' })], caller)
  await ingest.registerUsers(
    userIds.map((id, at) => user(id, { gender: at === 1 ? 'M' : 'F' })),
    caller,
  )
  const rows = async <Row>(sql: string, values: unknown[] = []) =>
    (await database.pool.query(sql, values)).rows as Row[]
  return {
    database,
    writer,
    ingest,
    userIds,
    rows,
    commits: () => commits,
    count: async (sql, values) => Number((await rows<{ count: string }>(sql, values))[0]?.count),
    async drift() {
      const views = await rows<{ name: string }>(`select view_name as name from cagg.continuous_aggregates`)
      let drift = 0
      for (const { name } of views) {
        const [row] = await rows<{ drift: string }>('select cagg.drift($1) as drift', [name])
        drift += Number(row?.drift)
      }
      return drift
    },
    async close() {
      await writer.close()
      await database.close()
    },
  }
}

/** The schema of the mutations alone. */
export function makeMutationSchema(): GraphQLSchema {
  const builder = makeBuilder()
  builder.queryType({ fields: (t) => ({ version: t.string({ resolve: () => '1' }) }) })
  builder.mutationType({})
  addIngestMutations(builder)
  return builder.toSchema()
}

export type Answer = { result?: IngestResult; errors?: readonly GraphQLError[] }

/** Runs one mutation whose only field is `field`. */
export async function mutate(
  schema: GraphQLSchema,
  ingest: Ingest,
  source: string,
  variableValues: Record<string, unknown>,
  from = 'test',
): Promise<Answer> {
  const contextValue = { requestId: 'test', caller: from, services: { ingest } }
  const answer = await graphql({ schema, source, variableValues, contextValue })
  const [result] = Object.values(answer.data ?? {}) as (IngestResult | null)[]
  return { result: result ?? undefined, errors: answer.errors }
}
