// The reading end of a stream. It keeps nothing itself: when its reader has room, it takes what its writer has waiting. A reader
// either asks for each message (next) or has them poured out, which costs no promise a message: a thousand sockets do that.

/** Takes what is poured out. */
export interface Sink<T> {
  /** Whether there is room for a message; where not, messages wait until it is said that there is. */
  ready(): boolean
  take(message: T): void
  /** The stream has ended, by an error or quietly. */
  end(error?: unknown): void
}

export interface Stream<T> extends AsyncIterableIterator<T, undefined> {
  /** In place of next(). Answers how to say that there is room again. */
  pour(sink: Sink<T>): () => void
}

export interface Outlet<T> {
  /** Something may be waiting: hand it to a reader that has room. */
  wake(): void
  /** Ends the stream after what waits, with an error for the reader or quietly. */
  end(error?: unknown): void
  stream: Stream<T>
}

export interface OutletHooks<T> {
  /** Gives what waits, or undefined. */
  take(): T | undefined
  /** Called when somebody begins to read. */
  onStart?: () => void
  /** Called once, whoever ends the stream. */
  onEnd(): void
}

interface Waiter<T> {
  resolve(result: IteratorResult<T, undefined>): void
  reject(error: unknown): void
}

export const isStream = (value: unknown): value is Stream<unknown> =>
  typeof (value as Partial<Stream<unknown>> | null)?.pour === 'function'

/**
 * How a reader leaves before the end. Plain functions, no generator: a generator's return() would wait for the next() before it,
 * perhaps for ever.
 */
export abstract class Leavable<T> {
  protected abstract leave(): void | Promise<unknown>

  async return(): Promise<IteratorResult<T, undefined>> {
    await this.leave()
    return { done: true, value: undefined }
  }

  async throw(error: unknown): Promise<never> {
    await this.leave()
    throw error
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

export const makeOutlet = <T>(hooks: OutletHooks<T>): Outlet<T> => new ReadingEnd(hooks)

/** One object, where closures would be many: a message goes from viewer to viewer, and what it has to visit there costs most. */
class ReadingEnd<T> extends Leavable<T> implements Outlet<T>, Stream<T> {
  readonly #hooks: OutletHooks<T>
  readonly #waiters: Waiter<T>[] = []
  #sink: Sink<T> | undefined
  #started = false
  #done = false
  /** The reader has gone: what waits is of no use. */
  #left = false
  #failure: { error: unknown } | undefined

  constructor(hooks: OutletHooks<T>) {
    super()
    this.#hooks = hooks
  }

  get stream(): Stream<T> {
    return this
  }

  wake(): void {
    while (this.#sink ? this.#sink.ready() : this.#waiters.length > 0) {
      const value = this.#left ? undefined : this.#hooks.take()
      if (value !== undefined) {
        if (this.#sink) this.#sink.take(value)
        else this.#waiters.shift()!.resolve({ done: false, value })
      } else if (this.#done) this.#finish()
      else return
    }
  }

  end(error?: unknown): void {
    if (this.#done) return
    this.#done = true
    if (error !== undefined) this.#failure = { error }
    this.#hooks.onEnd()
    this.wake()
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject })
      this.#start()
      this.wake()
    })
  }

  pour(sink: Sink<T>): () => void {
    this.#sink = sink
    // The reader knows how to wake it before anything can come.
    queueMicrotask(() => {
      this.#start()
      this.wake()
    })
    return () => this.wake()
  }

  #start(): void {
    if (this.#started || this.#done) return
    this.#started = true
    this.#hooks.onStart?.()
  }

  #finish(): void {
    const error = this.#failure
    this.#failure = undefined
    const sink = this.#sink
    this.#sink = undefined
    if (sink) return sink.end(error?.error)
    const waiter = this.#waiters.shift()
    if (error) waiter?.reject(error.error)
    else waiter?.resolve({ done: true, value: undefined })
  }

  protected leave(): void {
    this.#left = true
    this.end()
  }
}

/** Two messages made one, once for all whose first one is the same: of a thousand readers that are late most wait for the same. */
export function mergeOnce<T extends object>(merge: (first: T, second: T) => T): (first: T, second: T) => T {
  const known = new Map<T, T>()
  return (first, second) => {
    const merged = known.get(first) ?? merge(first, second)
    known.set(first, merged)
    return merged
  }
}

/** What happens to streams, for whoever counts it. */
export type StreamEvent =
  /** A message was merged into one that its reader had not taken yet. */
  | { is: 'conflated' }
  /** A reader came with a cursor: it went on from there, or was given the whole again. */
  | { is: 'resumed'; outcome: 'resumed' | 'snapshot' }
  /** A change goes out, so long after its commit. */
  | { is: 'sent'; stream: 'windows' | 'rows'; lagMs: number }
