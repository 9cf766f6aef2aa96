// One subscriber's place for the message that is not sent yet: never more than one. What comes while it waits is merged into
// it, so a subscriber that reads slowly gets fewer messages, and none that is out of date.
import { makeOutlet, type Stream } from '../outlet.ts'
import { mergeDeltas } from './messages.ts'
import type { MetricsUpdate } from './types.ts'

export interface Slot {
  /** What waits to be taken. */
  waiting(): MetricsUpdate | undefined
  /** `merge` makes one of what waits and the message. */
  offer(message: MetricsUpdate, merge?: typeof mergeDeltas): void
  /** Ends the stream after what waits, with an error or quietly. */
  end(error?: unknown): void
  stream: Stream<MetricsUpdate>
}

/** `onStart` is called when reading begins, `onEnd` once, when the reader leaves or the stream has ended; `onMerge` where the reader is late. */
export function makeSlot(hooks: { onStart: () => void; onEnd: () => void; onMerge?: () => void }): Slot {
  let pending: MetricsUpdate | undefined

  function take(): MetricsUpdate | undefined {
    const taken = pending
    pending = undefined
    return taken
  }

  const outlet = makeOutlet({ take, ...hooks })
  return {
    waiting: () => pending,
    offer(message, merge = mergeDeltas) {
      if (pending) hooks.onMerge?.()
      pending = pending && message.kind === 'DELTA' ? merge(pending, message) : message
      outlet.wake()
    },
    end: (error) => outlet.end(error),
    stream: outlet.stream,
  }
}
