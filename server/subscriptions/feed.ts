// One stream of rows, computed once however many watch it: the rows of a window, and what came, changed or left since.
// Exact by snapshots: a delta holds the row versions that the new snapshot shows and the one before did not.
import type { Logger } from 'pino'
import { type Change, type Changes, type ChangeSet, newestCommit } from '../changes/changes.ts'
import { LookoutError } from '../errors.ts'
import { mergeOnce, type Stream, type StreamEvent } from '../outlet.ts'
import { markOf, readLogCursor, type ReadPlace } from './cursor.ts'
import { makeUpdates, type RowsUpdate } from './updates.ts'
import { readDelta, readMissed, type ReadingLimits } from './reading.ts'
import { makeSlot, mergeDeltas, type RowsDelta, type Slot } from './slot.ts'
import { isLater, readSnapshot } from './snapshot.ts'
import type { RowSource, StreamRow } from './source.ts'
import { joinChanges, spansOf } from './spans.ts'

export interface FeedOptions extends ReadingLimits {
  /** What sets this stream apart from others: its name and arguments. */
  stream: unknown[]
  /** Length of the window; without one rows never leave it. */
  lookbackMs?: number
  /** At most one message within this time. */
  everyMs: number
  /** Rows the stream may hold. */
  rowsMax: number
  /** Wait after a failed read. */
  retryMs: number
}

/** Where a returning client stands. */
export interface Return {
  cursor: string
  /** null: in a stream with other arguments. */
  place: ReadPlace | null
}

export interface Feed<Row extends StreamRow> {
  subscribe(after?: Return): Stream<RowsUpdate<Row>>
  subscribers(): number
  /** Ends all its streams. */
  close(): void
}

interface Subscriber<Row extends StreamRow> {
  slot: Slot<Row, RowsUpdate<Row>>
  /** What it was sent last. */
  previous: string | null
  /** Where it says it stood when it came. */
  from: ReadPlace | null
}

const oldest = new Date(0)

/** Changes are joined when there are so many times more than spans to be read. */
const PENDING_PER_SPAN_MAX = 5

/** `onIdle` is called when the last subscriber has gone; the feed is of no use after that. */
export function makeFeed<Row extends StreamRow>(
  dependencies: {
    source: RowSource<Row>
    changes: Changes
    log: Logger
    onStreamEvent?: (event: StreamEvent) => void
    clock: () => Date
    onIdle: () => void
  },
  options: FeedOptions,
): Feed<Row> {
  const { source, changes, log, onStreamEvent, clock, onIdle } = dependencies
  const { lookbackMs, everyMs, rowsMax, deltaRowsMax, spansMax, retryMs } = options
  const updateOf = makeUpdates<Row>(markOf(options.stream))
  const rows = new Map<string, Row>()
  const subscribers = new Set<Subscriber<Row>>()
  /** Those of them that wait for their start. */
  const arriving = new Set<Subscriber<Row>>()
  let place: ReadPlace | undefined
  let windowEnd = clock()
  let pending: Change[] = []
  let target = changes.cursor()
  let reload = true
  let timer: NodeJS.Timeout | undefined
  let running = false
  let lastRunMs = Number.NEGATIVE_INFINITY
  let closed = false

  const unsubscribe = changes.subscribe((notice) => {
    if (notice.gap) reload = true
    note(notice)
    if (reload || pending.length > 0) plan()
  })

  function note(set: ChangeSet): void {
    for (const change of set.changes) if (change.view === source.view) pending.push(change)
    target = set.cursor
    // Until `every` has passed a busy shop makes more changes than anybody wants to keep.
    if (pending.length > PENDING_PER_SPAN_MAX * spansMax) pending = joinChanges(pending, source, spansMax)
  }

  function plan(waitMs = 0): void {
    if (closed || running) return
    clearTimeout(timer)
    const dueMs = Math.max(lastRunMs + everyMs - performance.now(), waitMs, 0)
    timer = setTimeout(() => void run(), dueMs)
  }

  async function run(): Promise<void> {
    running = true
    lastRunMs = performance.now()
    let failed = false
    try {
      const due = [...arriving]
      if (due.some(isAhead)) await look()
      await (reload ? load() : step())
      if (!reload) due.forEach(settle)
    } catch (error) {
      failed = true
      fail(error)
    } finally {
      running = false
    }
    if (failed) plan(retryMs)
    else if (reload || pending.length > 0 || arriving.size > 0) plan()
    else if (lookbackMs !== undefined && rows.size > 0) plan(everyMs)
  }

  /** It was told more elsewhere than this server knows of so far. */
  const isAhead = ({ from }: Subscriber<Row>): boolean => !!from && !!place && isLater(from.snapshot, place.snapshot)

  /** Asks the change log itself instead of waiting to be told. */
  async function look(): Promise<void> {
    const seen = place && (await changes.since(place.log))
    if (seen === 'expired') reload = true
    else if (seen) note(seen)
  }

  /** What callers are to blame for ends their streams; anything else is tried again. */
  function fail(error: unknown): void {
    if (error instanceof LookoutError || !place) {
      for (const { slot } of [...subscribers]) slot.end(error)
      return
    }
    log.warn({ err: error, stream: options.stream }, 'the rows of a stream could not be read; trying again')
  }

  const startAt = (now: Date): Date => (lookbackMs === undefined ? oldest : new Date(now.getTime() - lookbackMs))

  /** Reads everything anew, and sends it to everyone. */
  async function load(): Promise<void> {
    const now = clock()
    const epoch = readLogCursor(target)?.epoch ?? ''
    reload = false
    try {
      const read = await source.all(startAt(now))
      const snapshot = readSnapshot(read.snapshotText)
      if (!snapshot) throw new Error(`PostgreSQL gave no snapshot: ${read.snapshotText}`)
      rows.clear()
      for (const row of read.rows) rows.set(row.id, row)
      windowEnd = now
      const log = `${epoch}:${read.snapshotText}`
      place = { log, epoch, snapshotText: read.snapshotText, snapshot, windowStart: startAt(now) }
    } catch (error) {
      reload = true
      throw error
    }
    for (const subscriber of subscribers) if (!arriving.has(subscriber)) subscriber.slot.pushSnapshot()
  }

  /** Gives a subscriber its start: everything, or what it missed. */
  function settle(subscriber: Subscriber<Row>): void {
    const { slot, from } = subscriber
    if (!arriving.delete(subscriber)) return
    if (from && place) void resume(slot, from, place)
    else slot.pushSnapshot()
  }

  /** Reads what changed, drops what left, and tells of both. */
  async function step(): Promise<void> {
    if (!place) return
    const now = clock()
    const windowStart = startAt(now)
    const upTo = readLogCursor(target)
    const taken = pending
    pending = []
    const spans = spansOf(taken, source, windowStart, spansMax)
    const delta: RowsDelta<Row> = { items: [], removed: [] }
    let next = place
    if (upTo && isLater(upTo.snapshot, place.snapshot)) {
      const between = { since: place.snapshotText, upTo: upTo.snapshotText }
      const read = await readDelta(source, rows, spans, between, options).catch((error: unknown) => {
        pending = [...taken, ...pending]
        throw error
      })
      if (read === 'too many') {
        reload = true
        return
      }
      delta.items = read.items.filter(({ createdAt }) => createdAt >= windowStart)
      delta.removed = read.removed
      next = { ...upTo, windowStart }
    }
    // While rows were read the feed may have been closed: nobody is left to tell.
    if (closed) return
    for (const id of delta.removed) rows.delete(id)
    for (const row of delta.items) rows.set(row.id, row)
    delta.removed.push(...source.trim(rows, windowStart))
    place = { ...next, windowStart }
    windowEnd = now
    // The source refuses to hold so many, with a reason for the caller.
    if (rows.size > rowsMax) reload = true
    if (delta.items.length > 0 || delta.removed.length > 0) tell(delta, newestCommit(taken))
  }

  function tell(delta: RowsDelta<Row>, committedAt: Date | null): void {
    if (committedAt) onStreamEvent?.({ is: 'sent', stream: 'rows', lagMs: clock().getTime() - committedAt.getTime() })
    const merge = mergeOnce<RowsDelta<Row>>(mergeDeltas)
    for (const subscriber of [...subscribers]) {
      if (!arriving.has(subscriber)) subscriber.slot.push(delta, rows.size + deltaRowsMax, merge)
    }
  }

  /** Brings a subscriber that comes with a cursor up to where the feed stands. */
  async function resume(slot: Subscriber<Row>['slot'], from: ReadPlace, here: ReadPlace): Promise<void> {
    slot.hold(true)
    try {
      const missed = await missedBy(from, here)
      onStreamEvent?.({ is: 'resumed', outcome: missed ? 'resumed' : 'snapshot' })
      if (missed) slot.prepend(missed, rows.size + deltaRowsMax)
      else slot.pushSnapshot()
    } catch (error) {
      slot.end(error)
    } finally {
      slot.hold(false)
    }
  }

  /** What is being read for those who came back from the same place: one read for all of them. */
  const reading = new Map<string, ReturnType<typeof readMissed<Row>>>()

  function missedBy(from: ReadPlace, here: ReadPlace): ReturnType<typeof readMissed<Row>> {
    const key = [from.log, from.windowStart.getTime(), here.log, here.windowStart.getTime()].join(' ')
    const known = reading.get(key)
    if (known) return known
    const read = readMissed({ source, changes }, from, here, options).finally(() => reading.delete(key))
    reading.set(key, read)
    return read
  }

  function message(subscriber: Subscriber<Row>, due: RowsDelta<Row> | 'snapshot'): RowsUpdate<Row> {
    if (!place) throw new Error('a stream has rows before it has a place')
    const update = updateOf(due, { place, windowEnd, rows, previousCursor: subscriber.previous })
    subscriber.previous = update.cursor
    return update
  }

  function close(): void {
    closed = true
    clearTimeout(timer)
    unsubscribe()
    for (const { slot } of [...subscribers]) slot.end()
    rows.clear()
  }

  function subscribe(after?: Return): Stream<RowsUpdate<Row>> {
    const slot = makeSlot<Row, RowsUpdate<Row>>(
      (due) => message(subscriber, due),
      () => {
        subscribers.delete(subscriber)
        arriving.delete(subscriber)
        if (subscribers.size > 0 || closed) return
        close()
        onIdle()
      },
      () => onStreamEvent?.({ is: 'conflated' }),
    )
    const subscriber: Subscriber<Row> = { slot, previous: after?.cursor ?? null, from: after?.place ?? null }
    if (after && !after.place) onStreamEvent?.({ is: 'resumed', outcome: 'snapshot' })
    subscribers.add(subscriber)
    arriving.add(subscriber)
    if (place && !reload && !isAhead(subscriber)) settle(subscriber)
    else plan()
    return slot.stream
  }

  return { subscribe, subscribers: () => subscribers.size, close }
}
