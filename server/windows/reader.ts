// Reads of one snapshot: every statement of one piece of work sees the same commits. A few at a time, each with a time limit.
import type { ClientBase } from 'pg'
import type { Database } from '../db/index.ts'
import { LookoutError } from '../errors.ts'
import type { WindowLimits } from './limits.ts'

export interface Reader {
  /** Runs `work` in a repeatable-read transaction. Errors: OVERLOADED beyond the time limit, UNAVAILABLE without a database. */
  read<T>(work: (client: ClientBase) => Promise<T>): Promise<T>
}

const QUERY_CANCELED = '57014'
/** Connection and shutdown classes of SQLSTATE, and Node's own. */
const AWAY = /^(08|57P|53|ECONN|ENOTFOUND|EPIPE|ETIMEDOUT)/
const AWAY_MESSAGE = /connection|timeout exceeded|not queryable|terminat/i

function explain(error: unknown): unknown {
  if (error instanceof LookoutError) return error
  const { code = '', message = '' } = error as { code?: string; message?: string }
  if (code === QUERY_CANCELED) {
    return new LookoutError(
      'OVERLOADED',
      'Reading this took too long; a shorter window would do.',
      { retryAfterMs: 1_000 },
      error,
    )
  }
  if (AWAY.test(code) || (code === '' && AWAY_MESSAGE.test(message))) {
    return new LookoutError('UNAVAILABLE', 'The database cannot be reached.', { retryAfterMs: 1_000 }, error)
  }
  return error
}

export function makeReader(
  { database }: { database: Pick<Database, 'pool'> },
  limits: Pick<WindowLimits, 'readersMax' | 'readTimeoutMs'>,
): Reader {
  let reading = 0
  const waiting: (() => void)[] = []
  // Plans made for these short reads cost more than they save when compiled.
  const begin =
    'begin isolation level repeatable read read only; ' +
    `set local jit = off; set local statement_timeout = ${limits.readTimeoutMs}`

  async function transaction<T>(work: (client: ClientBase) => Promise<T>): Promise<T> {
    const client = await database.pool.connect()
    let broken = false
    // A pool looks after idle connections alone: one that breaks while it is lent would end the process.
    const onError = () => (broken = true)
    client.on('error', onError)
    try {
      await client.query(begin)
      const result = await work(client)
      await client.query('commit')
      return result
    } catch (error) {
      await client.query('rollback').catch(() => (broken = true))
      throw error
    } finally {
      client.off('error', onError)
      client.release(broken)
    }
  }

  return {
    async read(work) {
      if (reading >= limits.readersMax) await new Promise<void>((resolve) => waiting.push(resolve))
      else reading++
      try {
        return await transaction(work)
      } catch (error) {
        throw explain(error)
      } finally {
        // The place is handed on as it is, so that nobody who comes now overtakes those who wait.
        const next = waiting.shift()
        if (next) next()
        else reading--
      }
    },
  }
}
