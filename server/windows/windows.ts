// Windowed metrics: snapshots, streams of deltas, history and funnels. Each distinct window is computed once, whoever watches.
import type { Logger } from 'pino'
import { type Changes, changesSince, newestCommit } from '../changes/changes.ts'
import type { Database } from '../db/index.ts'
import { LookoutError } from '../errors.ts'
import type { StreamEvent } from '../outlet.ts'
import { checkEvery, checkWindow } from './asked.ts'
import type { Subscriber } from './audience.ts'
import { type Computation, makeComputation } from './computation.ts'
import { keysHashOf, readCursor, writeCursor } from './cursor.ts'
import { readFunnel } from './funnel.ts'
import { WINDOW_LIMITS, type WindowLimits } from './limits.ts'
import { makeSnapshot } from './messages.ts'
import { makePlan } from './plan.ts'
import { makeReader, type Reader } from './reader.ts'
import { makeSlot } from './slot.ts'
import { alignUp } from './time.ts'
import { readTimeSeries } from './timeSeries.ts'
import type { Windows } from './types.ts'
import { makeWindowState } from './windowState.ts'

export { WINDOW_LIMITS, type WindowLimits } from './limits.ts'
export type * from './types.ts'

export interface WindowsDependencies {
  database: Pick<Database, 'pool'>
  changes: Pick<Changes, 'cursor' | 'since' | 'newest' | 'subscribe'>
  log: Logger
  onStreamEvent?: (event: StreamEvent) => void
  /** Milliseconds since 1970. */
  clock?: () => number
}

/** Starts with no window; each begins with its first subscriber and ends a little after its last. */
export function makeWindows(
  { database, changes, log, onStreamEvent, clock = Date.now }: WindowsDependencies,
  options: Partial<WindowLimits> = {},
): Windows {
  const limits = { ...WINDOW_LIMITS, ...options }
  const reader = makeReader({ database }, limits)
  const questions = makeReader({ database }, { ...limits, readersMax: limits.questionsMax }, limits.questionsWaitingMax)
  /** Each in a transaction of its own: it shares neither time nor failure with others. */
  const asking: Reader = { read: (work) => questions.read(work, { alone: true }) }
  const computations = new Map<string, Computation>()
  let closed = false

  const unsubscribe = changes.subscribe((notice) => {
    for (const computation of computations.values()) computation.notice(notice)
  })

  const subscribers = (): number =>
    [...computations.values()].reduce((sum, computation) => sum + computation.subscribers(), 0)

  const refuse = (what: string): never => {
    throw new LookoutError('OVERLOADED', `This server has as many ${what} as it may.`, { retryAfterMs: 5_000 })
  }

  return {
    async snapshot(asked, at) {
      const checked = checkWindow(asked, limits)
      const watched = [...computations].find(([name]) => name.startsWith(`${checked.hash} `))?.[1]
      if (watched && watched.subscribers() > 0 && !at) return watched.snapshot()
      const plan = makePlan(checked)
      const state = makeWindowState(plan, checked, limits)
      return asking.read(async (client) => {
        const look = await changesSince(client, changes.cursor())
        if (look === 'expired')
          throw new LookoutError('UNAVAILABLE', 'The change log is catching up.', { retryAfterMs: 500 })
        await state.load(client, clock(), at && alignUp(at.getTime(), checked.bucketMs))
        const { from, to } = state.bounds()
        const known = changes.newest(state.views(), from, to)
        const news = newestCommit(look.changes.filter((change) => state.shows(change)))
        const keysHash = keysHashOf(state.summary())
        const cursor = writeCursor({ hash: checked.hash, keysHash, windowEndMs: to, log: look.cursor })
        return makeSnapshot({ plan, bucketMs: checked.bucketMs, state }, { cursor, committedAt: news ?? known })
      })
    },

    subscribe(asked, afterText) {
      checkEvery(asked.everyMs, limits)
      const checked = checkWindow(asked, limits)
      // A plan that cannot be made is told now rather than with the first message.
      makePlan(checked)
      const after = afterText === undefined ? null : readCursor(afterText)
      const name = `${checked.hash} ${asked.everyMs}`

      function open(): Computation {
        const known = computations.get(name)
        if (known) return known
        if (computations.size >= limits.windowsMax) refuse('windows')
        const made: Computation = makeComputation(checked, asked.everyMs, {
          reader,
          changes,
          clock,
          log,
          onStreamEvent,
          limits,
          onIdle() {
            if (computations.get(name) === made) computations.delete(name)
            void made.close()
          },
        })
        computations.set(name, made)
        return made
      }

      let computation: Computation | undefined
      const slot = makeSlot({
        onStart() {
          try {
            if (closed) throw new LookoutError('UNAVAILABLE', 'This server is closing.', { retryAfterMs: 1_000 })
            if (subscribers() >= limits.subscribersMax) refuse('subscribers')
            computation = open()
            computation.join(subscriber)
          } catch (error) {
            slot.end(error)
          }
        },
        onEnd: () => computation?.leave(subscriber),
        onMerge: () => onStreamEvent?.({ is: 'conflated' }),
      })
      const subscriber: Subscriber = { slot, after, afterText: afterText ?? null, told: null }
      return slot.stream
    },

    timeSeries: (asked) => readTimeSeries(asked, { reader: asking, clock, limits }),
    funnel: (steps, windowMs) => readFunnel(steps, windowMs, { reader: asking, clock, limits }),
    stats: () => ({
      windows: [...computations.values()].filter((computation) => computation.subscribers() > 0).length,
      subscribers: subscribers(),
    }),
    async close() {
      closed = true
      unsubscribe()
      const all = [...computations.values()]
      computations.clear()
      await Promise.all(all.map((computation) => computation.close()))
    },
  }
}
