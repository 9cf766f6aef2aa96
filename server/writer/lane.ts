// One connection's work: a group is written, tried again where transactions met, taken apart where a call is at fault.
import type pg from 'pg'
import type { Logger } from 'pino'
import type { Database } from '../db/index.ts'
import { LookoutError } from '../errors.ts'
import { type Connection, makeConnection } from './connection.ts'
import { type Failure, failureOf, isContentRefused } from './failures.ts'
import { wasCommitted } from './mark.ts'
import type { Partitions } from './partitions.ts'
import type { Pending } from './queue.ts'
import { type Answers, CommitInDoubt, writeGroup } from './transaction.ts'

/** A group that was committed. */
export interface Commit {
  rows: number
  /** From its first statement. */
  tookMs: number
}

export interface LaneOptions {
  reconnectDelayMinMs: number
  reconnectDelayMaxMs: number
  /** A group that takes longer is given up, its connection broken. */
  groupTimeoutMs: number
  /** How long a call waits to learn what became of a commit whose connection broke. */
  doubtTimeoutMs: number
}

export interface Lane {
  busy(): boolean
  reachable(): boolean
  /** Writes the calls and answers each. Never rejects. */
  run(group: readonly Pending[]): Promise<void>
  /** Other work on the connection, between groups, where it is there. Never rejects. */
  upkeep(work: (client: pg.Client) => Promise<void>): Promise<void>
  close(): Promise<void>
}

export interface LaneDependencies {
  database: Pick<Database, 'connect'>
  log: Logger
  partitions: Partitions
  onCommit(commit: Commit): void
  onChange(): void
}

/** Tries of one group where transactions meet or the connection breaks, before it is taken apart or given up. */
const TRIES_MAX = 4
const RETRY_DELAY_MAX_MS = 20

export const unavailable = (retryAfterMs: number, cause?: unknown): LookoutError =>
  new LookoutError('UNAVAILABLE', 'The database is out of reach; nothing was written.', { retryAfterMs }, cause)

const outcomeUnknown = (cause: unknown): LookoutError =>
  new LookoutError(
    'UNAVAILABLE',
    'The database went away during the commit, so it is not known whether the rows were written. ' +
      'Sending them again with the same ids or idempotencyKey is safe.',
    { retryAfterMs: 1000 },
    cause,
  )

/** A group was broken off by its own limit of time. */
class Overdue extends Error {
  override readonly name = 'Overdue'
}

/** What the only call of a group hears. */
function refused(error: unknown, failure: Failure): Error {
  if (isContentRefused(error)) {
    return new LookoutError('BAD_REQUEST', `A row was refused by the database: ${error.message}.`, {}, error)
  }
  if (failure !== 'conflict') return error as Error
  const message = 'The rows met those of other transactions too often; nothing was written.'
  return new LookoutError('UNAVAILABLE', message, { retryAfterMs: 1000 }, error)
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

export function makeLane(dependencies: LaneDependencies, options: LaneOptions): Lane {
  const { log, partitions, onCommit } = dependencies
  const connection: Connection = makeConnection(dependencies, options)
  let running = 0

  /** One transaction on `client`, broken off when it takes too long. */
  async function write(client: pg.Client, group: readonly Pending[]): Promise<Answers> {
    const started = performance.now()
    let overdue = false
    const limit = setTimeout(() => {
      overdue = true
      log.error({ groupTimeoutMs: options.groupTimeoutMs }, 'a group took too long and was given up')
      connection.reset(client)
    }, options.groupTimeoutMs)
    try {
      const calls = group.map(({ call }) => call)
      await partitions.ensure(client, calls)
      const answers = await writeGroup(client, calls)
      onCommit({ rows: calls.reduce((sum, { rowCount }) => sum + rowCount, 0), tookMs: performance.now() - started })
      return answers
    } catch (error) {
      // Not worth another try: it would take as long. A commit in doubt is asked about all the same.
      if (overdue && !(error instanceof CommitInDoubt)) throw new Overdue('the group took too long', { cause: error })
      throw error
    } finally {
      clearTimeout(limit)
    }
  }

  async function tryGroup(group: readonly Pending[], tries = 1): Promise<void> {
    const client = await connection.client(options.doubtTimeoutMs)
    if (!client) return rejectAll(group, unavailable(options.reconnectDelayMaxMs))
    let answers: Answers
    try {
      answers = await write(client, group)
    } catch (error) {
      if (error instanceof CommitInDoubt) return settleDoubt(error, group, tries)
      return afterFailure(error, connection.lost(client), group, tries)
    }
    answerAll(group, answers)
  }

  async function afterFailure(error: unknown, lost: boolean, group: readonly Pending[], tries: number): Promise<void> {
    const failure = error instanceof Overdue ? 'capacity' : failureOf(error, lost)
    if (failure === 'capacity') {
      log.error({ err: error }, 'the database cannot take rows now')
      return rejectAll(group, unavailable(options.reconnectDelayMaxMs, error))
    }
    if (failure === 'conflict') partitions.forget()
    if (failure !== 'refused' && tries < TRIES_MAX) {
      await pause(Math.random() * RETRY_DELAY_MAX_MS * tries)
      return tryGroup(group, tries + 1)
    }
    if (failure === 'connection') return rejectAll(group, unavailable(options.reconnectDelayMaxMs, error))
    const [only] = group
    if (only && group.length === 1) {
      log.error({ err: error, table: only.call.table, rows: only.call.rowCount }, 'a call was refused by the database')
      return only.reject(refused(error, failure))
    }
    // Halves, down to the call at fault: the others are written.
    const middle = Math.ceil(group.length / 2)
    await tryGroup(group.slice(0, middle))
    await tryGroup(group.slice(middle))
  }

  /** The connection broke during a commit: ask the database, on a new connection, how it ended. */
  async function settleDoubt(doubt: CommitInDoubt, group: readonly Pending[], tries: number): Promise<void> {
    const deadline = Date.now() + options.doubtTimeoutMs
    const leftMs = () => Math.max(1, deadline - Date.now())
    while (Date.now() < deadline) {
      const client = await connection.client(leftMs(), true)
      if (!client) break
      let committed: boolean
      try {
        committed = await wasCommitted(client, doubt.mark, leftMs())
      } catch {
        if (connection.lost(client)) continue
        break
      }
      if (committed) return answerAll(group, doubt.answers)
      // Nothing was written, for certain: as good as a connection that broke before the commit.
      return afterFailure(doubt.cause, true, group, tries)
    }
    rejectAll(group, outcomeUnknown(doubt))
  }

  return {
    busy: () => running > 0,
    reachable: () => connection.reachable(),
    async run(group) {
      running += 1
      try {
        await tryGroup(group)
      } catch (error) {
        log.error({ err: error }, 'a group failed')
        rejectAll(group, error as Error)
      } finally {
        running -= 1
      }
    },
    async upkeep(work) {
      running += 1
      try {
        const client = await connection.client(0)
        if (client) await work(client)
      } catch (error) {
        log.warn({ err: error }, 'the upkeep of keys failed; it will be tried again')
      } finally {
        running -= 1
      }
    },
    close: () => connection.close(),
  }
}

function answerAll(group: readonly Pending[], answers: Answers): void {
  group.forEach((pending, index) => {
    const answer = answers[index] as Answers[number]
    if (answer instanceof LookoutError) pending.reject(answer)
    else pending.resolve(answer)
  })
}

function rejectAll(group: readonly Pending[], error: Error): void {
  for (const pending of group) pending.reject(error)
}
