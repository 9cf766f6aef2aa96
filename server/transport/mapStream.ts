// A stream with each of its messages changed. Plain functions, no generator: ending it reaches the source at once, even while
// a message is awaited.
import { Leavable, type Sink, type Stream } from '../outlet.ts'

export type MaybePromise<T> = T | Promise<T>

export interface Change<In, Out> {
  each(message: In): MaybePromise<Out>
  /** A last message in place of an error. */
  failed?(error: unknown): Out
  /** Called once when the stream is over, however that came. */
  over?(): void
}

const isPromise = <T>(value: MaybePromise<T>): value is Promise<T> => value instanceof Promise

export const mapStream = <In, Out>(source: Stream<In>, change: Change<In, Out>): Stream<Out> =>
  new MappedStream(source, change)

/** One object that is the reader of one stream and the writer of the other: see outlet.ts for why not closures. */
class MappedStream<In, Out> extends Leavable<Out> implements Stream<Out>, Sink<In> {
  readonly #source: Stream<In>
  readonly #change: Change<In, Out>
  #sink: Sink<Out> | undefined
  #wake: (() => void) | undefined
  #making = false
  #done = false

  constructor(source: Stream<In>, change: Change<In, Out>) {
    super()
    this.#source = source
    this.#change = change
  }

  async next(): Promise<IteratorResult<Out, undefined>> {
    if (this.#done) return { done: true, value: undefined }
    try {
      const result = await this.#source.next()
      if (!result.done) return { done: false, value: await this.#change.each(result.value) }
      this.#end()
      return { done: true, value: undefined }
    } catch (error) {
      const late = this.#done
      this.leave()
      if (late) return { done: true, value: undefined }
      if (!this.#change.failed) throw error
      return { done: false, value: this.#change.failed(error) }
    }
  }

  pour(sink: Sink<Out>): () => void {
    this.#sink = sink
    return (this.#wake = this.#source.pour(this))
  }

  ready(): boolean {
    return !this.#making && !!this.#sink?.ready()
  }

  take(message: In): void {
    try {
      const made = this.#change.each(message)
      if (!isPromise(made)) return this.#sink?.take(made)
      this.#making = true
      made.then(
        (value) => {
          this.#making = false
          this.#sink?.take(value)
          this.#wake?.()
        },
        (error: unknown) => this.#fail(error),
      )
    } catch (error) {
      this.#fail(error)
    }
  }

  end(error?: unknown): void {
    if (error !== undefined) return this.#fail(error)
    this.#end()
    this.#takeSink()?.end()
  }

  #fail(error: unknown): void {
    const { failed } = this.#change
    const sink = this.#takeSink()
    this.leave()
    if (!failed) return sink?.end(error)
    sink?.take(failed(error))
    sink?.end()
  }

  /** It is told of the end once. */
  #takeSink(): Sink<Out> | undefined {
    const sink = this.#sink
    this.#sink = undefined
    return sink
  }

  protected leave(): void {
    this.#end()
    void this.#source.return?.()
  }

  #end(): void {
    if (this.#done) return
    this.#done = true
    this.#change.over?.()
  }
}
