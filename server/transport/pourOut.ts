// A stream of results poured into a socket, as graphql-ws sees it: an operation that yields nothing itself, and ends with the
// stream. What is left of each message is to put the operation's id before the bytes that all share.
import type { Stream } from '../outlet.ts'
import type { Outflow } from './outflow.ts'

export interface Poured<Result> {
  /** Of the operation. */
  id: string
  /** A result's bytes, and what ends the message. */
  tailOf(result: Result): Buffer
}

export function pourOut<Result>(
  stream: Stream<Result>,
  outflow: Outflow,
  { id, tailOf }: Poured<Result>,
): AsyncGenerator<never, undefined> {
  const head = Buffer.from(`{"id":${JSON.stringify(id)},"type":"next","payload":`)
  let ended: Promise<IteratorResult<never, undefined>> | undefined
  let waiting = false

  const pour = (): Promise<IteratorResult<never, undefined>> =>
    new Promise((resolve, reject) => {
      const wake = stream.pour({
        ready() {
          if (outflow.hasRoom()) return true
          if (!waiting) {
            outflow.onRoom(() => {
              waiting = false
              wake()
            })
          }
          waiting = true
          return false
        },
        take: (result) => outflow.push(head, tailOf(result)),
        end: (error) => (error === undefined ? resolve({ done: true, value: undefined }) : reject(error as Error)),
      })
    })

  return {
    next: () => (ended ??= pour()),
    async return() {
      await stream.return?.()
      return { done: true, value: undefined }
    },
    async throw(error) {
      await stream.return?.()
      throw error
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
