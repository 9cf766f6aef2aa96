// A stream with each of its messages changed. Plain functions, no generator: ending it reaches the source at once, even while
// a message is awaited.
import type { Stream } from '../outlet.ts'

export type MaybePromise<T> = T | Promise<T>

export interface Change<In, Out> {
  each(message: In): MaybePromise<Out>
  /** A last message in place of an error. */
  failed?(error: unknown): Out
  /** Called once when the stream is over, however that came. */
  over?(): void
}

const isPromise = <T>(value: MaybePromise<T>): value is Promise<T> => value instanceof Promise

export function mapStream<In, Out>(source: Stream<In>, { each, failed, over }: Change<In, Out>): Stream<Out> {
  let done = false

  function end(): void {
    if (done) return
    done = true
    over?.()
  }

  function leave(): void {
    end()
    void source.return?.()
  }

  return {
    async next() {
      if (done) return { done: true, value: undefined }
      try {
        const result = await source.next()
        if (!result.done) return { done: false, value: await each(result.value) }
        end()
        return { done: true, value: undefined }
      } catch (error) {
        const late = done
        leave()
        if (late) return { done: true, value: undefined }
        if (!failed) throw error
        return { done: false, value: failed(error) }
      }
    },
    pour(sink) {
      let ended = false
      let making = false
      const wake = source.pour({
        ready: () => !making && sink.ready(),
        take(message) {
          try {
            const made = each(message)
            if (!isPromise(made)) return sink.take(made)
            making = true
            made.then((value) => {
              making = false
              sink.take(value)
              wake()
            }, fail)
          } catch (error) {
            fail(error)
          }
        },
        end: (error) => (error === undefined ? finish() : fail(error)),
      })

      function finish(): void {
        if (ended) return
        ended = true
        end()
        sink.end()
      }

      function fail(error: unknown): void {
        if (ended) return
        ended = true
        leave()
        if (!failed) return sink.end(error)
        sink.take(failed(error))
        sink.end()
      }

      return wake
    },
    async return() {
      leave()
      return { done: true, value: undefined }
    },
    async throw(error) {
      leave()
      throw error
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
