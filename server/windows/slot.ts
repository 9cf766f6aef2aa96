// One subscriber's place for the message that is not sent yet: never more than one. What comes while it waits is merged into
// it, so a subscriber that reads slowly gets fewer messages, and none that is out of date.
import { mergeDeltas } from './messages.ts'
import type { MetricsUpdate } from './types.ts'

export interface Slot {
  /** What waits to be taken. */
  waiting(): MetricsUpdate | null
  offer(message: MetricsUpdate): void
  /** Ends the stream with an error, after what waits. */
  fail(error: unknown): void
  iterator: AsyncIterableIterator<MetricsUpdate>
}

interface Reader {
  resolve(result: IteratorResult<MetricsUpdate>): void
  reject(error: unknown): void
}

/** `onStart` is called with the first next(), `onEnd` once, when the reader leaves or the stream has failed. */
export function makeSlot({ onStart, onEnd }: { onStart: () => void; onEnd: () => void }): Slot {
  let pending: MetricsUpdate | null = null
  let failure: { error: unknown } | null = null
  let started = false
  let ended = false
  const readers: Reader[] = []

  function end(): void {
    if (ended) return
    ended = true
    pending = null
    if (started) onEnd()
    for (const reader of readers.splice(0)) reader.resolve({ done: true, value: undefined })
  }

  return {
    waiting: () => pending,
    offer(message) {
      if (ended || failure) return
      const reader = readers.shift()
      if (reader) reader.resolve({ done: false, value: message })
      else if (pending && message.kind === 'DELTA') pending = mergeDeltas(pending, message)
      else pending = message
    },
    fail(error) {
      if (ended || failure) return
      failure = { error }
      const reader = readers.shift()
      if (!reader) return
      end()
      reader.reject(error)
    },
    iterator: {
      next() {
        if (!started && !ended) {
          started = true
          onStart()
        }
        const message = pending
        pending = null
        if (message) return Promise.resolve({ done: false, value: message })
        if (failure && !ended) {
          end()
          return Promise.reject(failure.error)
        }
        if (ended) return Promise.resolve({ done: true, value: undefined })
        return new Promise((resolve, reject) => readers.push({ resolve, reject }))
      },
      return() {
        end()
        return Promise.resolve({ done: true, value: undefined })
      },
      throw(error: unknown) {
        end()
        return Promise.reject(error)
      },
      [Symbol.asyncIterator]() {
        return this
      },
    },
  }
}
