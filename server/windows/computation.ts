// One distinct window, computed once for all who watch it. Ticks are at least `everyMs` apart, and only where something may
// have changed: the change feed says when to look, the change log, read in the tick's own snapshot, says what to read.
import type { ClientBase } from 'pg'
import type { Logger } from 'pino'
import { type Change, type ChangeNotice, type Changes, changesSince, newestCommit } from '../changes/changes.ts'
import { mergeOnce, type StreamEvent } from '../outlet.ts'
import type { Asked } from './asked.ts'
import { keysHashOf, type Place, writeCursor } from './cursor.ts'
import type { WindowLimits } from './limits.ts'
import { makeDelta, makeResume, makeSnapshot, mergeDeltas } from './messages.ts'
import { SECOND_MS } from '../metrics/spans.ts'
import { makePlan } from './plan.ts'
import type { Reader } from './reader.ts'
import type { Slot } from './slot.ts'
import { alignUp, bucketsOf, clip } from './time.ts'
import type { MetricsUpdate } from './types.ts'
import { makeWindowState } from './windowState.ts'

export interface Subscriber {
  slot: Slot
  /** Where it goes on from. */
  after: Place | null
  /** `after` as it was given. */
  afterText: string | null
  /** What it was told last; null until then. Shared by all who were told the same. */
  told: Told | null
}

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

interface Told {
  cursor: string
  version: number
  /** null: nothing that the next message could build on. */
  topHash: string | null
}

/** A message, and what it leaves its readers with. */
interface Telling {
  message: MetricsUpdate
  told: Told
}

const TIMER_EARLY_MS_MAX = 5

const later = (a: Date | null, b: Date | null): Date | null => (a && b ? (a > b ? a : b) : (a ?? b))

export function makeComputation(asked: Asked, everyMs: number, dependencies: ComputationDependencies): Computation {
  const { reader, changes, clock, log, onStreamEvent, limits, onIdle } = dependencies
  const plan = makePlan(asked)
  const state = makeWindowState(plan, asked, limits)
  const context = { plan, bucketMs: asked.bucketMs, state }
  const told = new Set<Subscriber>()
  const joining = new Set<Subscriber>()
  /** Of the change log, at the snapshot the state was read in; null: nothing is loaded. */
  let cursor: string | null = null
  let cursorAtMs = 0
  /** Newest commit in the window, and newest since the last publication. */
  let committedAt: Date | null = null
  let freshCommittedAt: Date | null = null
  let dirty = false
  let publishedVersion = 0
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

  /** Notes when the newest of the changes in the window was committed. */
  function note(changed: readonly Change[]): void {
    const newest = newestCommit(changed.filter((change) => state.shows(change)))
    committedAt = later(committedAt, newest)
    freshCommittedAt = later(freshCommittedAt, newest)
  }

  async function load(client: ClientBase, since: string | null): Promise<boolean> {
    const look = await changesSince(client, since)
    if (look === 'expired') return false
    await state.load(client, nowMs())
    const { from, to } = state.bounds()
    committedAt = changes.newest(state.views(), from, to)
    note(look.changes)
    freshCommittedAt = null
    cursor = look.cursor
    // Whatever was told before, the whole is due.
    for (const subscriber of told) subscriber.told = { ...subscriber.told!, topHash: null }
    return true
  }

  async function update(client: ClientBase, since: string): Promise<boolean> {
    const look = await changesSince(client, since, state.views())
    if (look === 'expired') return false
    const concerned = look.changes.filter((change) => state.concerns(change))
    if (!(await state.refresh(client, concerned, nowMs()))) return false
    note(look.changes)
    cursor = look.cursor
    return true
  }

  /** Brings the state up to the present. */
  async function advance(): Promise<void> {
    dirty = false
    let tookMs = 0
    // Others do not wait for what takes long (a whole window, distinct counts), nor again for one that failed.
    const alone = failures > 0 || cursor === null || state.counts()
    const options = { alone, took: (ms: number) => void (tookMs += ms) }
    try {
      const from = cursor
      const upToDate = from !== null && (await reader.read((client) => update(client, from), options))
      if (!upToDate) {
        const reached = await reader.read((client) => load(client, changes.cursor()), options)
        // Where the change log does not reach back, the window begins anew, from now.
        if (!reached) await reader.read((client) => load(client, null), { ...options, alone: true })
      }
      cursorAtMs = clock()
      failures = 0
    } catch (error) {
      // What was read halfway cannot be told from what was not.
      cursor = null
      dirty = true
      failures++
      throw error
    } finally {
      restUntilMs = clock() + tookMs / limits.readShareMax - tookMs
    }
  }

  const cursorNow = (): string =>
    writeCursor({
      hash: asked.hash,
      keysHash: keysHashOf(state.summary()),
      windowEndMs: state.bounds().to,
      log: cursor!,
    })

  const telling = (message: MetricsUpdate): Telling => ({
    message,
    told: { cursor: message.cursor, version: state.version(), topHash: state.summary().topHash },
  })

  /** A message made once for all who need it. */
  function shared<T>(make: () => T): () => T {
    let made: T | undefined
    return () => (made ??= make())
  }

  /** Tells everybody who does not know it yet what changed. */
  function publish(): void {
    publishedVersion = state.version()
    const changed = state.takeChanged()
    const committed = freshCommittedAt
    freshCommittedAt = null
    if (committed && told.size > 0)
      onStreamEvent?.({ is: 'sent', stream: 'windows', lagMs: clock() - committed.getTime() })
    const snapshot = shared(() => makeSnapshot(context, { cursor: cursorNow(), committedAt }))
    const delta = shared(() =>
      makeDelta(context, { cursor: cursorNow(), previousCursor: null, committedAt: committed }, changed),
    )
    const { topHash } = state.summary()
    const deltas = new Map<string, Telling>()
    const whole = shared(() => telling(snapshot()))

    function next(last: Told): Telling {
      const known = deltas.get(last.cursor)
      if (known) return known
      const made = telling({ ...delta(), previousCursor: last.cursor })
      deltas.set(last.cursor, made)
      return made
    }

    // Most were told the same, so what comes next is looked up once for them all.
    let before: Told | undefined
    let after: Telling | undefined
    const merge = mergeOnce(mergeDeltas)
    for (const subscriber of told) {
      const last = subscriber.told!
      if (last.version === publishedVersion) continue
      if (last !== before) {
        before = last
        after = last.topHash === topHash ? next(last) : undefined
      }
      const { message, told } = after && subscriber.slot.waiting()?.kind !== 'SNAPSHOT' ? after : whole()
      subscriber.told = told
      subscriber.slot.offer(message, merge)
    }
  }

  async function tick(): Promise<void> {
    if (closed || told.size === 0) return
    const old = clock() - cursorAtMs > limits.cursorMaxAgeMs
    if (dirty || old || cursor === null || !state.slide(nowMs())) {
      await advance()
    }
    publish()
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
    if (closed || told.size === 0) return
    const now = clock()
    const backoff = failures > 0 ? Math.min(limits.retryIntervalMs * 2 ** failures, limits.retryIntervalMsMax) : 0
    const owing = dirty || publishedVersion !== state.version()
    const moving = cursor === null ? now : Math.ceil(state.bounds().to / everyMs) * everyMs
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

  /** Gives all who came their first message; those who say the same get the same. */
  async function greet(all: readonly Subscriber[]): Promise<void> {
    const whole = shared(() => telling(makeSnapshot(context, { cursor: cursorNow(), committedAt })))
    const resumed = new Map<string, Telling | null>()
    for (const subscriber of all) {
      const after = subscriber.afterText ?? ''
      if (!resumed.has(after)) {
        const message = await resume(subscriber)
        resumed.set(after, message && telling(message))
      }
      if (!joining.delete(subscriber)) continue
      const on = resumed.get(after)
      if (after !== '') onStreamEvent?.({ is: 'resumed', outcome: on ? 'resumed' : 'snapshot' })
      const { message, told: fresh } = on ?? whole()
      told.add(subscriber)
      subscriber.told = fresh
      subscriber.slot.offer(message)
    }
  }

  /** The first message of one who comes back; null where only the whole window will do. */
  async function resume({ after, afterText }: Subscriber): Promise<MetricsUpdate | null> {
    if (!after || after.hash !== asked.hash || after.keysHash !== keysHashOf(state.summary())) return null
    const bounds = state.bounds()
    if (after.windowEndMs < bounds.from || after.windowEndMs > bounds.to) return null
    const missed = await changes.since(after.log, state.views())
    if (missed === 'expired') return null
    const stale = new Set<number>()
    for (const change of missed.changes) {
      const stretch = state.stretchOf(change)
      const within = stretch && clip(stretch, bounds)
      if (within) for (const bucket of bucketsOf(within, asked.bucketMs)) stale.add(bucket)
    }
    const shown = missed.changes.filter((change) => state.shows(change))
    const head = {
      cursor: cursorNow(),
      previousCursor: afterText,
      committedAt: shown.length > 0 ? missed.committedAt : null,
    }
    return makeResume(context, head, stale, after.windowEndMs)
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
      await greet(all)
    } catch (error) {
      for (const subscriber of all) {
        joining.delete(subscriber)
        subscriber.slot.end(error)
      }
      idle()
    }
    const isStorm = clock() - beganMs > limits.arrivalMsMax
    gatherUntilMs = alignUp(clock() + 1, isStorm ? limits.stormGatherMs : limits.gatherMs)
    schedule()
  }

  function idle(): void {
    if (told.size + joining.size > 0 || closed) return
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
      const here = told.delete(subscriber) || joining.delete(subscriber)
      if (here) idle()
    },
    snapshot: () =>
      alone(async () => {
        await advance()
        schedule()
        return makeSnapshot(context, { cursor: cursorNow(), committedAt })
      }),
    notice(notice) {
      if (dirty || told.size + joining.size === 0) return
      // While the window is first read nobody knows yet what it will hold.
      if (cursor !== null && !notice.gap && !notice.changes.some((change) => state.concerns(change))) return
      dirty = true
      schedule()
    },
    subscribers: () => told.size + joining.size,
    async close() {
      closed = true
      clearTimeout(timer)
      clearTimeout(arrival)
      clearTimeout(linger)
      for (const subscriber of [...told, ...joining]) subscriber.slot.end()
      await work
    },
  }
}
