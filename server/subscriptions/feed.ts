// One stream of rows, computed once however many watch it: the rows of a window, and what came, changed or left since.
// Exact by snapshots: a delta holds the row versions that the new snapshot shows and the one before did not.
import type { Logger } from 'pino'
import type { Changes } from '../changes/changes.ts'
import { LookoutError } from '../errors.ts'
import type { Stream, StreamEvent } from '../outlet.ts'
import { markOf, readCursor, readLogCursor, type ReadPlace, writeCursor } from './cursor.ts'
import { readDelta, readMissed, type ReadingLimits } from './reading.ts'
import { makeSlot, type RowsDelta, type Slot } from './slot.ts'
import { isLater, isVisible, readSnapshot } from './snapshot.ts'
import type { RowSource, Span, StreamRow } from './source.ts'
import { joinSpans, spanOf } from './spans.ts'

/** One message of a stream of rows. Rows are shared between subscribers: read only. */
export interface RowsUpdate<Row extends StreamRow> {
  kind: 'SNAPSHOT' | 'DELTA'
  cursor: string
  previousCursor: string | null
  windowStart: Date
  windowEnd: Date
  /** Newest first. */
  items: Row[]
  removed: string[]
}

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

export interface Feed<Row extends StreamRow> {
  /** @throws LookoutError BAD_REQUEST for an `after` that is no cursor. */
  subscribe(after?: string): Stream<RowsUpdate<Row>>
  subscribers(): number
  /** Ends it where nobody watches. */
  closeIfIdle(): void
  /** Ends all its streams. */
  close(): void
}

interface Subscriber<Row extends StreamRow> {
  slot: Slot<Row, RowsUpdate<Row>>
  /** What it was sent last. */
  previous: string | null
  /** Where it says it stood; settled once the feed has rows. */
  from?: ReadPlace
  /** It stood further on than the feed does: rows that this shows are not sent again. */
  floor?: ReadPlace
}

const oldest = new Date(0)

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
  const mark = markOf(options.stream)
  const rows = new Map<string, Row>()
  const subscribers = new Set<Subscriber<Row>>()
  let place: ReadPlace | undefined
  let windowEnd = clock()
  let pending: Span[] = []
  let target = changes.cursor()
  let reload = true
  let timer: NodeJS.Timeout | undefined
  let running = false
  let lastRunMs = Number.NEGATIVE_INFINITY
  let closed = false

  const unsubscribe = changes.subscribe((notice) => {
    if (notice.gap) reload = true
    for (const change of notice.changes) {
      if (change.view === source.view) pending.push(spanOf(change, source.bucketMs))
    }
    target = notice.cursor
    if (reload || pending.length > 0) plan()
  })

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
      await (reload ? load() : step())
    } catch (error) {
      failed = true
      fail(error)
    } finally {
      running = false
    }
    if (failed) plan(retryMs)
    else if (reload || pending.length > 0) plan()
    else if (lookbackMs !== undefined && rows.size > 0) plan(everyMs)
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
    for (const subscriber of subscribers) settle(subscriber)
  }

  /** Gives a subscriber its start: everything, or what it missed. */
  function settle(subscriber: Subscriber<Row>): void {
    const { slot, from } = subscriber
    if (!from || !place) return slot.pushSnapshot()
    subscriber.from = undefined
    slot.hold(true)
    void resume(subscriber, from, place)
  }

  /** Reads what changed, drops what left, and tells of both. */
  async function step(): Promise<void> {
    if (!place) return
    const now = clock()
    const windowStart = startAt(now)
    const upTo = readLogCursor(target)
    const spans = joinSpans(pending, windowStart, spansMax)
    const taken = pending
    pending = []
    const delta: RowsDelta<Row> = { items: [], removed: [] }
    let next = place
    if (upTo && spans.length > 0 && isLater(upTo.snapshot, place.snapshot)) {
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
    if (delta.items.length > 0 || delta.removed.length > 0) tell(delta)
  }

  function tell(delta: RowsDelta<Row>): void {
    for (const subscriber of [...subscribers]) {
      const { floor, slot } = subscriber
      if (!floor) {
        slot.push(delta, rows.size + deltaRowsMax)
        continue
      }
      const items = delta.items.filter(({ xid }) => !isVisible(xid, floor.snapshot))
      slot.push({ items, removed: delta.removed }, rows.size + deltaRowsMax)
      if (place && !isLater(floor.snapshot, place.snapshot)) subscriber.floor = undefined
    }
  }

  /** Brings a subscriber that comes with a cursor up to where the feed stands. */
  async function resume(subscriber: Subscriber<Row>, from: ReadPlace, here: ReadPlace): Promise<void> {
    const { slot } = subscriber
    if (isLater(from.snapshot, here.snapshot)) subscriber.floor = from
    try {
      const missed = await missedBy(from, here)
      const gone = missed === 'expired' || missed === 'too many'
      onStreamEvent?.({ is: 'resumed', outcome: gone ? 'snapshot' : 'resumed' })
      if (gone) slot.pushSnapshot()
      else slot.prepend(missed, rows.size + deltaRowsMax)
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

  const newestFirst = (items: readonly Row[]): Row[] =>
    items.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : -1))

  /** Messages made already, by the delta or the place they tell of, and the cursor they follow. */
  const made = new WeakMap<object, Map<string | null, RowsUpdate<Row>>>()

  /** The same object for all who are due the same. */
  function message(subscriber: Subscriber<Row>, due: RowsDelta<Row> | 'snapshot'): RowsUpdate<Row> {
    if (!place) throw new Error('a stream has rows before it has a place')
    const isSnapshot = due === 'snapshot'
    if (isSnapshot) subscriber.floor = undefined
    const previousCursor = isSnapshot ? null : subscriber.previous
    const told = isSnapshot ? place : due
    const known = made.get(told) ?? new Map<string | null, RowsUpdate<Row>>()
    const update = known.get(previousCursor) ?? {
      kind: isSnapshot ? ('SNAPSHOT' as const) : ('DELTA' as const),
      cursor: writeCursor(place, mark),
      previousCursor,
      windowStart: place.windowStart,
      windowEnd,
      items: newestFirst(isSnapshot ? [...rows.values()] : due.items),
      removed: isSnapshot ? [] : due.removed,
    }
    made.set(told, known.set(previousCursor, update))
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

  function closeIfIdle(): void {
    if (subscribers.size > 0 || closed) return
    close()
    onIdle()
  }

  function subscribe(after?: string): Stream<RowsUpdate<Row>> {
    const from = after === undefined ? 'other' : readCursor(after, mark)
    const slot = makeSlot<Row, RowsUpdate<Row>>(
      (due) => message(subscriber, due),
      () => {
        subscribers.delete(subscriber)
        closeIfIdle()
      },
      () => onStreamEvent?.({ is: 'conflated' }),
    )
    if (from === 'other' && after !== undefined) onStreamEvent?.({ is: 'resumed', outcome: 'snapshot' })
    const subscriber: Subscriber<Row> = { slot, previous: after ?? null, from: from === 'other' ? undefined : from }
    subscribers.add(subscriber)
    if (place && !reload) settle(subscriber)
    else plan()
    return slot.stream
  }

  return { subscribe, subscribers: () => subscribers.size, closeIfIdle, close }
}
