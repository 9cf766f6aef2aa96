// The reading end of a stream. It keeps nothing itself: when its reader asks, it takes what its writer has waiting.

export interface Outlet<T> {
  /** Something may be waiting: hand it to a reader that asked. */
  wake(): void
  /** Ends the stream, with an error for the reader or quietly. */
  end(error?: unknown): void
  iterator: AsyncIterableIterator<T>
}

interface Waiter<T> {
  resolve(result: IteratorResult<T>): void
  reject(error: unknown): void
}

/** `take` gives what waits, or undefined; `onEnd` is called once, whoever ends the stream. */
export function makeOutlet<T>(take: () => T | undefined, onEnd: () => void): Outlet<T> {
  const waiters: Waiter<T>[] = []
  let done = false
  let failure: { error: unknown } | undefined

  function wake(): void {
    while (waiters.length > 0) {
      const value = done ? undefined : take()
      if (value === undefined && !done) return
      const waiter = waiters.shift()!
      if (value !== undefined) waiter.resolve({ done: false, value })
      else if (failure) {
        waiter.reject(failure.error)
        failure = undefined
      } else waiter.resolve({ done: true, value: undefined })
    }
  }

  function end(error?: unknown): void {
    if (done) return
    done = true
    if (error !== undefined) failure = { error }
    onEnd()
    wake()
  }

  return {
    wake,
    end,
    iterator: {
      next: () =>
        new Promise((resolve, reject) => {
          waiters.push({ resolve, reject })
          wake()
        }),
      // Plain functions, no generator: a generator's return() would wait for the next() before it, perhaps for ever.
      return: async () => {
        end()
        return { done: true, value: undefined }
      },
      throw: async (error: unknown) => {
        end()
        throw error
      },
      [Symbol.asyncIterator]() {
        return this
      },
    },
  }
}
