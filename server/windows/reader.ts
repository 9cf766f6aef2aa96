// Reads of one snapshot: every statement of one piece of work sees the same commits. A few transactions at a time, each with a
// time limit; what is due at the same moment, such as the ticks of many windows, shares one.
import type { ClientBase, PoolClient } from 'pg'
import { isAway } from '../db/away.ts'
import type { Database } from '../db/index.ts'
import { LookoutError } from '../errors.ts'
import { makeBatch } from './batch.ts'
import type { WindowLimits } from './limits.ts'
import { makeStatementNames } from './statementNames.ts'

export interface Reader {
  /** Runs `work` in a repeatable-read transaction. Errors: OVERLOADED beyond the time limit, UNAVAILABLE without a database. */
  read<T>(work: (client: ClientBase) => Promise<T>, options?: ReadOptions): Promise<T>
}

export interface ReadOptions {
  /** In a transaction of its own: a statement that fails ends its transaction for all. */
  alone?: boolean
  /** Told how long it took: its share of the transaction, the wait for it left out. */
  took?: (ms: number) => void
}

interface Piece extends ReadOptions {
  /** `shareMs`: how long it has taken so far, shared among all who go together. */
  run(client: ClientBase, shareMs: () => number): Promise<void>
  fail(error: unknown): void
}

const QUERY_CANCELED = '57014'
/** The class of SQLSTATEs that say that it has no room left. */
const FULL = /^53/

function explain(error: unknown): unknown {
  if (error instanceof LookoutError) return error
  const { code = '' } = error as { code?: string }
  if (code === QUERY_CANCELED) {
    return new LookoutError(
      'OVERLOADED',
      'Reading this took too long; a shorter window would do.',
      { retryAfterMs: 1_000 },
      error,
    )
  }
  if (FULL.test(code) || isAway(error)) {
    return new LookoutError('UNAVAILABLE', 'The database cannot be reached.', { retryAfterMs: 1_000 }, error)
  }
  return error
}

/** Beyond `waitingMax` pieces of work that wait, OVERLOADED. */
export function makeReader(
  { database }: { database: Pick<Database, 'pool'> },
  limits: Pick<WindowLimits, 'readersMax' | 'readTimeoutMs' | 'statementNamesMax'>,
  waitingMax = Number.POSITIVE_INFINITY,
): Reader {
  const nameOf = makeStatementNames(limits.statementNamesMax)
  let reading = 0
  let due: Piece[] = []
  let planned = false
  // Plans made for these short reads cost more than they save when compiled.
  const begin =
    'begin isolation level repeatable read read only; ' +
    `set local jit = off; set local statement_timeout = ${limits.readTimeoutMs}`

  /** What is due, in the order it came, as far as it may go together. */
  function takeDue(): Piece[] {
    const [first] = due
    const together = first?.alone ? [first] : due.filter(({ alone }) => !alone)
    due = due.filter((piece) => !together.includes(piece))
    return together
  }

  function start(): void {
    planned = false
    while (due.length > 0 && reading < limits.readersMax) {
      reading++
      void transaction(takeDue()).finally(() => {
        reading--
        start()
      })
    }
  }

  async function transaction(pieces: Piece[]): Promise<void> {
    const began = performance.now()
    let client: PoolClient | undefined
    let broken = false
    // A pool looks after idle connections alone: one that breaks while it is lent would end the process.
    const onError = () => (broken = true)
    try {
      client = await database.pool.connect()
      client.on('error', onError)
      await client.query(begin)
      const batch = makeBatch(client, nameOf)
      const shareMs = () => (performance.now() - began) / pieces.length
      const results = await Promise.allSettled(pieces.map((piece) => piece.run(batch, shareMs)))
      await client.query(results.some(({ status }) => status === 'rejected') ? 'rollback' : 'commit')
    } catch (error) {
      for (const { fail } of pieces) fail(error)
      broken = true
    } finally {
      client?.off('error', onError)
      client?.release(broken)
    }
  }

  return {
    read: (work, options = {}) =>
      new Promise((resolve, reject) => {
        const fail = (error: unknown) => reject(explain(error) as Error)
        if (due.length + reading >= limits.readersMax + waitingMax) {
          const message = 'More is being asked than the server answers at once; try again later.'
          return fail(new LookoutError('OVERLOADED', message, { retryAfterMs: 1_000 }))
        }
        due.push({
          ...options,
          fail,
          async run(client, shareMs) {
            try {
              const result = await work(client)
              options.took?.(shareMs())
              resolve(result)
            } catch (error) {
              fail(error)
              throw error
            }
          },
        })
        if (planned) return
        planned = true
        setImmediate(start)
      }),
  }
}
