// The reading side of theLook's types: a PrismaClient whose connections cannot write and give up on slow statements.
import { PrismaPg } from '@prisma/adapter-pg'
import { PrismaClient } from '../db/generated/prisma/client.ts'
import type { Context, PrismaHandle } from './context.ts'

export interface PrismaOptions {
  connectionsMax: number
  /** A query that runs longer is cancelled and answered with an error. */
  statementTimeoutMs: number
}

export const PRISMA_OPTIONS: PrismaOptions = { connectionsMax: 4, statementTimeoutMs: 10_000 }

/** For a connection to be made, or to be free. */
const connectTimeoutMs = 10_000
/** A connection that has not said by then that its statement took too long is given up. */
const answersWithinMs = 1_000

/** Opens a read-only client on the database at `url`. Connections are made when first needed. */
export function makePrisma(
  url: string,
  options: PrismaOptions = PRISMA_OPTIONS,
): PrismaHandle & { close(): Promise<void> } {
  const adapter = new PrismaPg({
    connectionString: withSettings(url, {
      default_transaction_read_only: 'on',
      statement_timeout: String(options.statementTimeoutMs),
      // The adapter drops the offset of the times it reads, so they must come in UTC.
      timezone: 'UTC',
    }),
    max: options.connectionsMax,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: options.statementTimeoutMs + answersWithinMs,
    application_name: 'lookout-read',
  })
  const client = new PrismaClient({ adapter })
  return Object.assign(client, { close: () => client.$disconnect() })
}

/** The client with its whole type, for resolvers of theLook's types alone: checking it is slow. */
export const prismaOf = (context: Context): PrismaClient => context.services.prisma as PrismaClient

/** A connection string whose sessions start with these settings, beside those it has. */
function withSettings(url: string, settings: Record<string, string>): string {
  const parsed = new URL(url)
  const added = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`)
  const options = [parsed.searchParams.get('options'), ...added].filter(Boolean).join(' ')
  parsed.searchParams.set('options', options)
  return parsed.href
}
