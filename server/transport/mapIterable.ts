// A stream with each of its values changed, and a last value in place of an error.

/** Plain functions, no generator: ending it reaches the source at once, even while a value is awaited. */
export function mapIterable<In, Out>(
  source: AsyncIterable<In>,
  each: (value: In) => Out,
  failed: (error: unknown) => Out,
): AsyncIterableIterator<Out> {
  const iterator = source[Symbol.asyncIterator]()
  let done = false
  return {
    async next() {
      if (done) return { done: true, value: undefined }
      try {
        const result = await iterator.next()
        if (!result.done) return { done: false, value: each(result.value) }
        done = true
        return { done: true, value: undefined }
      } catch (error) {
        if (done) return { done: true, value: undefined }
        done = true
        return { done: false, value: failed(error) }
      }
    },
    async return() {
      done = true
      await iterator.return?.()
      return { done: true, value: undefined }
    },
    async throw(error) {
      done = true
      await iterator.return?.()
      throw error
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
