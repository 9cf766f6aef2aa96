// A stream of results poured into a socket, as graphql-ws sees it: an operation that yields nothing itself, and ends with the
// stream. What is left of each message is to put the operation's id before the bytes that all share.
import { Leavable, type Sink, type Stream } from '../outlet.ts'
import type { Outflow } from './outflow.ts'

export interface Poured<Result> {
  /** Of the operation. */
  id: string
  /** A result's bytes, and what ends the message. */
  tailOf(result: Result): Buffer
}

export const pourOut = <Result>(
  stream: Stream<Result>,
  outflow: Outflow,
  poured: Poured<Result>,
): AsyncGenerator<never, undefined> => new Pouring(stream, outflow, poured)

/** One object that is an operation's iterator and the stream's reader: see outlet.ts for why not closures. */
class Pouring<Result> extends Leavable<never> implements AsyncGenerator<never, undefined>, Sink<Result> {
  readonly #stream: Stream<Result>
  readonly #outflow: Outflow
  readonly #tailOf: Poured<Result>['tailOf']
  readonly #head: Buffer
  #ended: Promise<IteratorResult<never, undefined>> | undefined
  #settle: { resolve(result: IteratorResult<never, undefined>): void; reject(error: unknown): void } | undefined
  #wake: (() => void) | undefined
  #waiting = false

  constructor(stream: Stream<Result>, outflow: Outflow, { id, tailOf }: Poured<Result>) {
    super()
    this.#stream = stream
    this.#outflow = outflow
    this.#tailOf = tailOf
    this.#head = Buffer.from(`{"id":${JSON.stringify(id)},"type":"next","payload":`)
  }

  ready(): boolean {
    if (this.#outflow.hasRoom()) return true
    if (!this.#waiting) {
      this.#outflow.onRoom(() => {
        this.#waiting = false
        this.#wake?.()
      })
    }
    this.#waiting = true
    return false
  }

  take(result: Result): void {
    this.#outflow.push(this.#head, this.#tailOf(result))
  }

  end(error?: unknown): void {
    if (error === undefined) this.#settle?.resolve({ done: true, value: undefined })
    else this.#settle?.reject(error)
  }

  next(): Promise<IteratorResult<never, undefined>> {
    return (this.#ended ??= new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
      this.#wake = this.#stream.pour(this)
    }))
  }

  protected async leave(): Promise<void> {
    await this.#stream.return?.()
  }
}
