// All who watch a window, and what each of them was told last. Messages are made once for all who need the same: most do.
import type { Changes } from '../changes/changes.ts'
import { mergeOnce, type StreamEvent } from '../outlet.ts'
import type { Asked } from './asked.ts'
import { keysHashOf, type Place } from './cursor.ts'
import { makeDelta, makeResume, makeSnapshot, mergeDeltas } from './messages.ts'
import type { Picture } from './picture.ts'
import type { Slot } from './slot.ts'
import { bucketsOf, clip } from './time.ts'
import type { MetricsUpdate } from './types.ts'

export interface Subscriber {
  slot: Slot
  /** Where it goes on from. */
  after: Place | null
  /** `after` as it was given. */
  afterText: string | null
  /** What it was told last; null until then. Shared by all who were told the same. */
  told: Told | null
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

export interface Audience {
  size(): number
  /** Of all who have had their first message. */
  members(): Iterable<Subscriber>
  /** Gives all who came, and are `here` still, their first message; those who say the same get the same. */
  greet(all: readonly Subscriber[], here: (subscriber: Subscriber) => boolean): Promise<void>
  /** Tells everybody who does not know it yet what changed. */
  publish(): void
  /** Whether there is something to publish. */
  isOwed(): boolean
  /** Whatever was told before, the whole is due. */
  forgetTold(): void
  /** Answers whether it was among them. */
  leave(subscriber: Subscriber): boolean
}

export interface AudienceDependencies {
  picture: Picture
  changes: Pick<Changes, 'since'>
  /** Milliseconds since 1970. */
  clock: () => number
  onStreamEvent?: (event: StreamEvent) => void
}

/** A message made once for all who need it. */
function shared<T>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}

export function makeAudience(asked: Asked, { picture, changes, clock, onStreamEvent }: AudienceDependencies): Audience {
  const { state } = picture
  const all = new Set<Subscriber>()
  let publishedVersion = 0

  const telling = (message: MetricsUpdate): Telling => ({
    message,
    told: { cursor: message.cursor, version: state.version(), topHash: state.summary().topHash },
  })

  const snapshot = () => makeSnapshot(picture, { cursor: picture.cursor(), committedAt: picture.committedAt() })

  function publish(): void {
    publishedVersion = state.version()
    const changed = state.takeChanged()
    const committedAt = picture.takeFresh()
    if (committedAt && all.size > 0)
      onStreamEvent?.({ is: 'sent', stream: 'windows', lagMs: clock() - committedAt.getTime() })
    const delta = shared(() =>
      makeDelta(picture, { cursor: picture.cursor(), previousCursor: null, committedAt }, changed),
    )
    const whole = shared(() => telling(snapshot()))
    const { topHash } = state.summary()
    const deltas = new Map<string, Telling>()

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
    for (const subscriber of all) {
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

  async function greet(came: readonly Subscriber[], here: (subscriber: Subscriber) => boolean): Promise<void> {
    const whole = shared(() => telling(snapshot()))
    const resumed = new Map<string, Telling | null>()
    for (const subscriber of came) {
      const after = subscriber.afterText ?? ''
      if (!resumed.has(after)) {
        const message = await resume(subscriber)
        resumed.set(after, message && telling(message))
      }
      if (!here(subscriber)) continue
      const on = resumed.get(after)
      if (after !== '') onStreamEvent?.({ is: 'resumed', outcome: on ? 'resumed' : 'snapshot' })
      const { message, told } = on ?? whole()
      all.add(subscriber)
      subscriber.told = told
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
      cursor: picture.cursor(),
      previousCursor: afterText,
      committedAt: shown.length > 0 ? missed.committedAt : null,
    }
    return makeResume(picture, head, stale, after.windowEndMs)
  }

  return {
    size: () => all.size,
    members: () => all,
    greet,
    publish,
    isOwed: () => publishedVersion !== state.version(),
    forgetTold() {
      for (const subscriber of all) subscriber.told = { ...subscriber.told!, topHash: null }
    },
    leave: (subscriber) => all.delete(subscriber),
  }
}
