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

export function makeOutlet<T>({ take, onStart, onEnd }: OutletHooks<T>): Outlet<T> {
  const waiters: Waiter<T>[] = []
  let sink: Sink<T> | undefined
  let started = false
  let done = false
  /** The reader has gone: what waits is of no use. */
  let left = false
  let failure: { error: unknown } | undefined

  function wake(): void {
    while (sink ? sink.ready() : waiters.length > 0) {
      const value = left ? undefined : take()
      if (value !== undefined) {
        if (sink) sink.take(value)
        else waiters.shift()!.resolve({ done: false, value })
      } else if (done) finish()
      else return
    }
  }

  function finish(): void {
    const error = failure
    failure = undefined
    const last = sink
    sink = undefined
    if (last) return last.end(error?.error)
    const waiter = waiters.shift()
    if (error) waiter?.reject(error.error)
    else waiter?.resolve({ done: true, value: undefined })
  }

  function start(): void {
    if (started || done) return
    started = true
    onStart?.()
  }

  function end(error?: unknown): void {
    if (done) return
    done = true
    if (error !== undefined) failure = { error }
    onEnd()
    wake()
  }

  function leave(): void {
    left = true
    end()
  }

  return {
    wake,
    end,
    stream: {
      next: () =>
        new Promise((resolve, reject) => {
          waiters.push({ resolve, reject })
          start()
          wake()
        }),
      pour(into) {
        sink = into
        // The reader knows how to wake it before anything can come.
        queueMicrotask(() => {
          start()
          wake()
        })
        return wake
      },
      // Plain functions, no generator: a generator's return() would wait for the next() before it, perhaps for ever.
      return: async () => {
        leave()
        return { done: true, value: undefined }
      },
      throw: async (error: unknown) => {
        leave()
        throw error
      },
      [Symbol.asyncIterator]() {
        return this
      },
    },
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
