// Rows from all callers are grouped, written by COPY with one commit a group, and then acknowledged call by call.
import type { Logger } from 'pino'
import type { Database } from '../db/index.ts'
import { LookoutError } from '../errors.ts'
import type { Call } from './call.ts'
import { type Commit, type Lane, makeLane, unavailable } from './lane.ts'
import { makePartitions } from './partitions.ts'
import { makeQueue, type Pending } from './queue.ts'
import { makeStatistics } from './statistics.ts'
import type { Answer } from './transaction.ts'
import { runUpkeep } from './upkeep.ts'

export type { Answer, Commit }

export interface WriterOptions {
  /** Rows of a group; a call is never split, so a larger call makes a larger group. */
  groupRowsMax: number
  /** How long a call waits for others while another group is being written. */
  flushIntervalMs: number
  /** Connections that write at the same time. */
  connections: number
  queueRowsMax: number
  queueBytesMax: number
  /** While a call has waited, or a new one would wait, longer than this to be written, no more are taken. */
  queueWaitMsMax: number
  rawRetentionDays: number
  reconnectDelayMinMs: number
  reconnectDelayMaxMs: number
  groupTimeoutMs: number
  doubtTimeoutMs: number
  /** How long close() waits for what is queued. */
  drainTimeoutMs: number
  upkeepIntervalMs: number
}

export const WRITER_OPTIONS: WriterOptions = {
  groupRowsMax: 5_000,
  flushIntervalMs: 20,
  connections: 2,
  queueRowsMax: 100_000,
  queueBytesMax: 64 * 1024 * 1024,
  queueWaitMsMax: 1_000,
  rawRetentionDays: 30,
  reconnectDelayMinMs: 100,
  reconnectDelayMaxMs: 3_000,
  groupTimeoutMs: 60_000,
  doubtTimeoutMs: 15_000,
  drainTimeoutMs: 10_000,
  upkeepIntervalMs: 60_000,
}

export interface WriterStats {
  /** Rows since the start. */
  rowsAccepted: number
  rowsDuplicate: number
  rowsRejected: number
  /** Accepted rows a second, over the last 5 seconds. */
  rowsPerSecond: number
  /** Rows waiting or being written, and the bound beyond which calls are answered OVERLOADED. */
  queueRows: number
  queueRowsMax: number
  queueBytes: number
  queueBytesMax: number
  /** Median of the last 256 groups, from first statement to commit; null before the first. */
  commitLatencyMs: number | null
}

export interface Writer {
  /** Would a call of this size be taken now? Throws OVERLOADED or UNAVAILABLE; cheap, to be asked before a check. */
  assertRoom(rows: number, bytes?: number): void
  /**
   * Writes a call's rows; resolves after the commit, with every row accounted for. Rejects, nothing written, with
   * OVERLOADED (queue full), UNAVAILABLE (database away, or closing), IDEMPOTENCY_KEY_REUSED.
   */
  write(call: Call): Promise<Answer>
  /** Can rows be written now? For readiness. */
  ready(): boolean
  stats(): WriterStats
  /** Takes no more calls, writes what is queued, and ends the connections. */
  close(): Promise<void>
}

/** The time of a group is a mean that forgets within about so many. */
const RECENT_GROUPS = 4

/** `retryAfterMs` of a full queue lies between these. */
const RETRY_AFTER_MIN_MS = 50
const RETRY_AFTER_MAX_MS = 5_000

/** `onCommit` is called after each commit, before its calls are answered. */
export function makeWriter(
  dependencies: { database: Pick<Database, 'connect'>; log: Logger; onCommit?: (commit: Commit) => void },
  given: Partial<WriterOptions> = {},
): Writer {
  const { database, log, onCommit } = dependencies
  const options = { ...WRITER_OPTIONS, ...given }
  const queue = makeQueue(options.queueRowsMax, options.queueBytesMax)
  const statistics = makeStatistics()
  const partitions = makePartitions()
  const lanes = Array.from({ length: options.connections }, () =>
    makeLane({ database, log, partitions, onChange: connectionChanged, onCommit: committed }, options),
  )
  let closing: Promise<void> | null = null
  let timer: NodeJS.Timeout | undefined
  let gathering = false
  let nextUpkeepAt = Date.now() + Math.random() * options.upkeepIntervalMs
  let drained: (() => void) | null = null
  let recentGroupMs = 0

  const reachable = () => lanes.some((lane) => lane.reachable())
  const writing = () => lanes.some((lane) => lane.busy())

  function committed(commit: Commit): void {
    recentGroupMs += (commit.tookMs - recentGroupMs) / RECENT_GROUPS
    statistics.committed(commit.tookMs)
    onCommit?.(commit)
  }

  function connectionChanged(): void {
    if (reachable()) return
    // Nobody knows for how long: callers hear of it now, and keep their rows.
    for (const pending of queue.take(Number.POSITIVE_INFINITY)) pending.reject(unavailable(options.reconnectDelayMaxMs))
  }

  /**
   * Hands groups to idle lanes. While one group is being written, the next waits for its commit, for its rows or for
   * its time: many small calls then share a commit, and with nothing under way a call goes at once.
   */
  function dispatch(commitEnded = false): void {
    clearTimeout(timer)
    let due = commitEnded
    while (queue.waitingCalls() > 0) {
      const lane = lanes.find((candidate) => !candidate.busy() && candidate.reachable())
      if (!lane) return
      const waitedMs = Date.now() - (queue.oldestQueuedAt() ?? 0)
      due ||= !writing() || queue.waitingRows() >= options.groupRowsMax || waitedMs >= options.flushIntervalMs
      if (!due) {
        timer = setTimeout(dispatch, options.flushIntervalMs - waitedMs)
        return
      }
      void lane.run(queue.take(options.groupRowsMax)).then(() => {
        upkeepWhenDue(lane)
        dispatch(true)
        tellWhenDrained()
      })
      due = false
    }
  }

  /** On the connection that has just ended a group, before it takes the next. */
  function upkeepWhenDue(lane: Lane): void {
    const now = Date.now()
    if (closing || now < nextUpkeepAt) return
    nextUpkeepAt = now + options.upkeepIntervalMs
    void lane
      .upkeep(async (client) => {
        // Callers may send ids faster than one round an interval forgets them.
        if (await runUpkeep(client, options.rawRetentionDays)) nextUpkeepAt = 0
      })
      .then(() => {
        dispatch()
        tellWhenDrained()
      })
  }

  function tellWhenDrained(): void {
    if (queue.waitingCalls() === 0 && !writing()) drained?.()
  }

  /** Calls that arrive in the same turn of the event loop go together. */
  function gather(): void {
    if (gathering) return
    gathering = true
    setImmediate(() => {
      gathering = false
      dispatch()
    })
  }

  /** The longest that a call has waited so far, or that one more would: bursts are known before anyone has waited. */
  function waitMs(): number {
    const waitedMs = Date.now() - (queue.oldestQueuedAt() ?? Number.POSITIVE_INFINITY)
    const groupsAhead = queue.waitingRows() / options.groupRowsMax
    return Math.max(waitedMs, (groupsAhead / lanes.length) * recentGroupMs)
  }

  function retryAfterMs(): number {
    const estimateMs = (queue.rows() / Math.max(statistics.rowsPerSecond(), 1)) * 1000
    return Math.round(Math.min(RETRY_AFTER_MAX_MS, Math.max(RETRY_AFTER_MIN_MS, estimateMs)))
  }

  function assertRoom(rows: number, bytes = 0): void {
    if (closing) throw unavailable(options.reconnectDelayMaxMs)
    if (!reachable()) throw unavailable(options.reconnectDelayMaxMs)
    if (queue.hasRoom(rows, bytes) && waitMs() <= options.queueWaitMsMax) return
    throw new LookoutError('OVERLOADED', 'More rows are waiting than the server takes; try again later.', {
      retryAfterMs: retryAfterMs(),
    })
  }

  async function write(call: Call): Promise<Answer> {
    if (call.rowCount === 0 && !call.idempotency) {
      const result = { accepted: 0, duplicates: 0, rejected: [...call.rejected] }
      statistics.count(result)
      return { result, repeated: false }
    }
    assertRoom(call.rowCount, call.bytes)
    return new Promise((resolve, reject) => {
      let settled = false
      const settleOnce = (answer: () => void) => {
        if (settled) return
        settled = true
        queue.release(pending)
        answer()
      }
      const pending: Pending = {
        call,
        queuedAt: Date.now(),
        resolve: (answer) =>
          settleOnce(() => {
            statistics.count(answer.result, answer.repeated)
            resolve(answer)
          }),
        reject: (error) => settleOnce(() => reject(error)),
      }
      queue.push(pending)
      gather()
    })
  }

  async function close(): Promise<void> {
    const done = new Promise<void>((resolve) => {
      drained = resolve
    })
    dispatch()
    let deadline: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      deadline = setTimeout(resolve, options.drainTimeoutMs)
    })
    if (queue.waitingCalls() > 0 || writing()) await Promise.race([done, late])
    clearTimeout(deadline)
    clearTimeout(timer)
    for (const pending of queue.take(Number.POSITIVE_INFINITY)) pending.reject(unavailable(options.reconnectDelayMaxMs))
    await Promise.all(lanes.map((lane) => lane.close()))
  }

  return {
    assertRoom,
    write,
    ready: () => !closing && reachable(),
    stats() {
      const { accepted, duplicate, rejected } = statistics.rows()
      return {
        rowsAccepted: accepted,
        rowsDuplicate: duplicate,
        rowsRejected: rejected,
        rowsPerSecond: statistics.rowsPerSecond(),
        queueRows: queue.rows(),
        queueRowsMax: options.queueRowsMax,
        queueBytes: queue.bytes(),
        queueBytesMax: options.queueBytesMax,
        commitLatencyMs: statistics.commitLatencyMs(),
      }
    },
    close: () => (closing ??= close()),
  }
}
