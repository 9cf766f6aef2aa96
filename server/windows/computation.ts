// One distinct window, computed once for all who watch it. Ticks are at least `everyMs` apart, and only where something may
// have changed: the change feed says when to look, the change log, read in the tick's own snapshot, says what to read.
import type { Logger } from 'pino'
import type { ChangeNotice, Changes } from '../changes/changes.ts'
import { SECOND_MS } from '../metrics/spans.ts'
import type { StreamEvent } from '../outlet.ts'
import type { Asked } from './asked.ts'
import { makeAudience, type Subscriber } from './audience.ts'
import type { WindowLimits } from './limits.ts'
import { makeSnapshot } from './messages.ts'
import { makePicture } from './picture.ts'
import type { Reader } from './reader.ts'
import { alignUp } from './time.ts'
import type { MetricsUpdate } from './types.ts'

export interface Computation {
  /** Gives the subscriber its first message, then all others. */
  join(subscriber: Subscriber): void
  leave(subscriber: Subscriber): void
  /** The window as it is now. */
  snapshot(): Promise<MetricsUpdate>
  notice(notice: ChangeNotice): void
  subscribers(): number
  close(): Promise<void>
}

export interface ComputationDependencies {
  reader: Reader
  changes: Pick<Changes, 'cursor' | 'since' | 'newest'>
  /** Milliseconds since 1970. */
  clock: () => number
  log: Logger
  onStreamEvent?: (event: StreamEvent) => void
  limits: WindowLimits
  /** Called when nobody has watched for a while. */
  onIdle: () => void
}

const TIMER_EARLY_MS_MAX = 5

export function makeComputation(asked: Asked, everyMs: number, dependencies: ComputationDependencies): Computation {
  const { reader, changes, clock, log, onStreamEvent, limits, onIdle } = dependencies
  const picture = makePicture(asked, { reader, changes }, limits)
  const { state } = picture
  const audience = makeAudience(asked, { picture, changes, clock, onStreamEvent })
  const joining = new Set<Subscriber>()
  let readAtMs = 0
  let dirty = false
  /** No tick before this, so that reading keeps to its share of the time. */
  let restUntilMs = 0
  let failures = 0
  let closed = false
  let timer: NodeJS.Timeout | undefined
  let linger: NodeJS.Timeout | undefined
  let work: Promise<unknown> = Promise.resolve()
  let arrival: NodeJS.Timeout | undefined
  /** Who comes before this waits for others to come. */
  let gatherUntilMs = Number.NEGATIVE_INFINITY

  /** When the last tick was due. A timer may fire a little before its time. */
  let tickMs = 0
  /** When it began: a late one is not followed by the next before its time. */
  let tickedMs = 0
  const nowMs = (): number => (tickMs - clock() <= TIMER_EARLY_MS_MAX ? Math.max(clock(), tickMs) : clock())

  /** One thing at a time, in order. */
  function alone<T>(task: () => Promise<T>): Promise<T> {
    const result = work.then(task)
    work = result.catch(() => undefined)
    return result
  }

  /** Brings the picture up to the present. */
  async function advance(): Promise<void> {
    dirty = false
    let tookMs = 0
    try {
      // Others do not wait again for one that failed.
      const options = { alone: failures > 0, took: (ms: number) => void (tookMs += ms) }
      if ((await picture.advance(nowMs, options)) === 'whole') audience.forgetTold()
      readAtMs = clock()
      failures = 0
    } catch (error) {
      dirty = true
      failures++
      throw error
    } finally {
      restUntilMs = clock() + tookMs / limits.readShareMax - tookMs
    }
  }

  async function tick(): Promise<void> {
    if (closed || audience.size() === 0) return
    const old = clock() - readAtMs > limits.cursorMaxAgeMs
    if (dirty || old || !picture.isLoaded() || !state.slide(nowMs())) await advance()
    audience.publish()
  }

  /**
   * When the next tick may be. From a second on they fall on multiples of `everyMs`, with the buckets; more often than that,
   * the first news after a pause is told at once.
   */
  const nextTick = (ms: number): number =>
    everyMs < SECOND_MS ? Math.max(ms, tickedMs + everyMs) : Math.floor(ms / everyMs) * everyMs + everyMs

  /** Sets the timer to the next tick at which something can have changed. */
  function schedule(): void {
    clearTimeout(timer)
    if (closed || audience.size() === 0) return
    const now = clock()
    const backoff = failures > 0 ? Math.min(limits.retryIntervalMs * 2 ** failures, limits.retryIntervalMsMax) : 0
    const owing = dirty || audience.isOwed()
    const moving = picture.isLoaded() ? Math.ceil(state.bounds().to / everyMs) * everyMs : now
    const dueMs = owing
      ? nextTick(Math.max(now + backoff, restUntilMs))
      : Math.min(Math.max(moving, nextTick(Math.max(now, restUntilMs))), now + limits.cursorMaxAgeMs)
    timer = setTimeout(
      () => {
        tickMs = dueMs
        tickedMs = clock()
        alone(tick)
          .catch((error: unknown) => log.warn({ err: error, failures }, 'a window could not be read; trying again'))
          .finally(schedule)
      },
      Math.max(0, dueMs - now),
    )
  }

  /**
   * All who arrive before it begins share one look. The first does not wait; those who follow soon are looked for together, and at
   * the same moments in all windows, which then share one transaction: a storm of returning clients costs a few looks a second.
   */
  function arrive(): void {
    if (arrival) return
    arrival = setTimeout(() => void alone(welcome), Math.max(0, gatherUntilMs - clock()))
  }

  async function welcome(): Promise<void> {
    arrival = undefined
    const all = [...joining]
    if (closed || all.length === 0) return
    const beganMs = clock()
    try {
      await advance()
      await audience.greet(all, (subscriber) => joining.delete(subscriber))
    } catch (error) {
      for (const subscriber of all) {
        joining.delete(subscriber)
        subscriber.slot.end(error)
      }
      idle()
    }
    const isStorm = all.length > 1 && clock() - beganMs > limits.arrivalMsMax
    gatherUntilMs = alignUp(clock() + 1, isStorm ? limits.stormGatherMs : limits.gatherMs)
    schedule()
  }

  function idle(): void {
    if (audience.size() + joining.size > 0 || closed) return
    clearTimeout(timer)
    linger = setTimeout(onIdle, limits.lingerMs)
  }

  return {
    join(subscriber) {
      clearTimeout(linger)
      joining.add(subscriber)
      arrive()
    },
    leave(subscriber) {
      const here = audience.leave(subscriber) || joining.delete(subscriber)
      if (here) idle()
    },
    snapshot: () =>
      alone(async () => {
        await advance()
        schedule()
        return makeSnapshot(picture, { cursor: picture.cursor(), committedAt: picture.committedAt() })
      }),
    notice(notice) {
      if (dirty || audience.size() + joining.size === 0) return
      // While the window is first read nobody knows yet what it will hold.
      if (picture.isLoaded() && !notice.gap && !notice.changes.some((change) => state.concerns(change))) return
      dirty = true
      schedule()
    },
    subscribers: () => audience.size() + joining.size,
    async close() {
      closed = true
      clearTimeout(timer)
      clearTimeout(arrival)
      clearTimeout(linger)
      for (const subscriber of [...audience.members(), ...joining]) subscriber.slot.end()
      await work
    },
  }
}
