// The streams of rows and of statistics: each distinct one is computed once, and is gone with its last subscriber.
import type { Logger } from 'pino'
import type { Changes } from '../changes/changes.ts'
import type { Database } from '../db/index.ts'
import type { Severity } from '../db/generated/prisma/enums.ts'
import { LookoutError } from '../errors.ts'
import type { Stream, StreamEvent } from '../outlet.ts'
import { markOf, readCursor } from './cursor.ts'
import { type Feed, makeFeed } from './feed.ts'
import { makeMessageRows, type MessageRow } from './messageRows.ts'
import { makeOrderItemRows, type OrderItemRow } from './orderItemRows.ts'
import type { RowSource, StreamRow } from './source.ts'
import { makeStatsStreams } from './stats.ts'
import type { RowsUpdate } from './updates.ts'

export type { MessageRow } from './messageRows.ts'
export type { OrderItemRow } from './orderItemRows.ts'
export type { RowsUpdate } from './updates.ts'

export interface SubscriptionsOptions {
  /** Least and greatest interval a caller may ask for. */
  everyMsMin: number
  everyMsMax: number
  lookbackMsMax: number
  /** Rows a window of order items may hold. */
  rowsMax: number
  /** Messages of each severity in a snapshot. */
  messagesPerSeverityMax: number
  /** Messages posted within this time go out together. */
  messagesEveryMs: number
  deltaRowsMax: number
  spansMax: number
  retryMs: number
  /** Distinct streams of rows at a time, and distinct intervals of statistics. */
  feedsMax: number
  /** Streams in all, shared or not. */
  subscribersMax: number
}

export const SUBSCRIPTIONS_OPTIONS: SubscriptionsOptions = {
  everyMsMin: 50,
  everyMsMax: 3_600_000,
  lookbackMsMax: 86_400_000,
  rowsMax: 50_000,
  messagesPerSeverityMax: 100,
  messagesEveryMs: 100,
  deltaRowsMax: 10_000,
  spansMax: 200,
  retryMs: 1_000,
  feedsMax: 1_000,
  subscribersMax: 50_000,
}

const SEVERITIES: readonly Severity[] = ['SUCCESS', 'WARNING', 'DANGER']

export interface Subscriptions<Stats = unknown> {
  /**
   * The joined rows of the last `lookbackMs`: a snapshot, then what came, changed or left, at most once per `everyMs`.
   * With `after`, on from that cursor; a snapshot again where that cannot be, or rows were deleted since.
   * @throws LookoutError BAD_REQUEST for arguments out of range and for what is no cursor.
   */
  orderItems(asked: { lookbackMs: number; everyMs: number }, after?: string): Stream<RowsUpdate<OrderItemRow>>
  /** The newest messages of each severity, then what is posted. No severities: all of them. Errors as with orderItems. */
  messages(asked: { severities?: readonly Severity[] | null }, after?: string): Stream<RowsUpdate<MessageRow>>
  /** A reading every `everyMs`. Errors as with orderItems. */
  stats(everyMs: number): Stream<Stats>
  counts(): { feeds: number; subscribers: number }
  close(): void
}

/** `stats` takes one reading for the stream of that name. */
export function makeSubscriptions<Stats>(
  dependencies: {
    database: Pick<Database, 'pool'>
    changes: Changes
    log: Logger
    onStreamEvent?: (event: StreamEvent) => void
    stats: () => Promise<Stats> | Stats
    clock?: () => Date
  },
  given: Partial<SubscriptionsOptions> = {},
): Subscriptions<Stats> {
  const options = { ...SUBSCRIPTIONS_OPTIONS, ...given }
  const { database, changes, log, onStreamEvent, clock = () => new Date() } = dependencies
  const { rowsMax, deltaRowsMax, spansMax, retryMs, everyMsMin, everyMsMax, lookbackMsMax } = options
  const feeds = new Map<string, Feed<never>>()
  const statsStreams = makeStatsStreams(dependencies.stats, options)
  let closed = false

  const subscribers = () =>
    [...feeds.values()].reduce((sum, feed) => sum + feed.subscribers(), 0) + statsStreams.subscribers()

  function admit(): void {
    if (closed)
      throw new LookoutError('UNAVAILABLE', 'The server is closing; come back in a moment.', { retryAfterMs: 1000 })
    if (subscribers() < options.subscribersMax) return
    throw new LookoutError('OVERLOADED', `All ${options.subscribersMax} streams are taken.`, { retryAfterMs: 5000 })
  }

  function check(name: string, ms: number, min: number, max: number): void {
    if (ms >= min && ms <= max) return
    throw new LookoutError('BAD_REQUEST', `${name} must be from ${min} ms to ${max} ms; got ${ms} ms.`)
  }

  /** The feed of a stream, made with its first subscriber. */
  function feedOf<Row extends StreamRow>(
    stream: unknown[],
    timing: { lookbackMs?: number; everyMs: number },
    source: () => RowSource<Row>,
  ): Feed<Row> {
    const key = JSON.stringify(stream)
    const known = feeds.get(key)
    if (known) return known as unknown as Feed<Row>
    if (feeds.size >= options.feedsMax) {
      throw new LookoutError('OVERLOADED', `All ${options.feedsMax} distinct streams are taken.`, {
        retryAfterMs: 5000,
      })
    }
    const feed = makeFeed(
      { source: source(), changes, log, onStreamEvent, clock, onIdle: () => feeds.delete(key) },
      { stream, ...timing, rowsMax, deltaRowsMax, spansMax, retryMs },
    )
    feeds.set(key, feed as unknown as Feed<never>)
    return feed
  }

  /** Joins the feed of a stream; the first to come makes it. */
  function watch<Row extends StreamRow>(
    stream: unknown[],
    after: string | undefined,
    timing: { lookbackMs?: number; everyMs: number },
    source: () => RowSource<Row>,
  ): Stream<RowsUpdate<Row>> {
    admit()
    const from = after === undefined ? undefined : { cursor: after, place: readCursor(after, markOf(stream)) }
    return feedOf(stream, timing, source).subscribe(from)
  }

  return {
    orderItems({ lookbackMs, everyMs }, after) {
      check('every', everyMs, everyMsMin, everyMsMax)
      check('lookback', lookbackMs, 1000, lookbackMsMax)
      return watch(['orderItems', lookbackMs, everyMs], after, { lookbackMs, everyMs }, () =>
        makeOrderItemRows(database.pool, rowsMax),
      )
    },
    messages({ severities }, after) {
      const asked = severities?.length
        ? SEVERITIES.filter((severity) => severities.includes(severity))
        : [...SEVERITIES]
      return watch(['messages', asked], after, { everyMs: options.messagesEveryMs }, () =>
        makeMessageRows(database.pool, asked, options.messagesPerSeverityMax),
      )
    },
    stats(everyMs) {
      admit()
      return statsStreams.subscribe(everyMs)
    },
    counts: () => ({ feeds: feeds.size, subscribers: subscribers() }),
    close() {
      closed = true
      for (const feed of [...feeds.values()]) feed.close()
      feeds.clear()
      statsStreams.close()
    },
  }
}
