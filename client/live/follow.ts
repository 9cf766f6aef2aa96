// Follows one stream for as long as someone looks: folds what comes, asks for a new snapshot after a gap, retries after a fault.
import type { AnyVariables, Client, TypedDocumentNode } from '@urql/core'
import { shallowRef, type ShallowRef } from 'vue'
import { backoffMs } from '../api/backoff.ts'
import { readFault, type Fault } from '../api/fault.ts'
import { GAP } from './fold/chain.ts'
import type { Painter } from './painter.ts'

export interface Live<Frame> {
  /** What is on screen; undefined before the first message. */
  readonly frame: Readonly<ShallowRef<Frame | undefined>>
  /** The newest that has come in: the same, but while the view is held. */
  latest(): Frame | undefined
  /** Set while the stream is refused; the next message clears it. */
  readonly fault: Readonly<ShallowRef<Fault | null>>
  /** Asks again at once. */
  retry(): void
  close(): void
}

export interface Followed<Data, Variables extends AnyVariables, Frame> {
  document: TypedDocumentNode<Data, Variables>
  variables: Variables
  fold(frame: Frame | undefined, data: Data): Frame | typeof GAP
}

export function follow<Data, Variables extends AnyVariables, Frame>(
  { client, painter }: { client: Client; painter: Painter },
  { document, variables, fold }: Followed<Data, Variables, Frame>,
): Live<Frame> {
  const frame = shallowRef<Frame>()
  const fault = shallowRef<Fault | null>(null)
  let latest: Frame | undefined
  let attempt = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let stop = () => {}
  const paint = () => void (frame.value = latest)

  function start(): void {
    clearTimeout(timer)
    stop()
    let live = true
    const subscription = client.subscription(document, variables).subscribe(({ data, error }) => {
      if (!live) return
      if (error || !data) return error && fail(readFault(error))
      const folded = fold(latest, data)
      if (folded === GAP) return start()
      attempt = 0
      latest = folded
      fault.value = null
      painter.request(paint)
    })
    stop = () => {
      live = false
      subscription.unsubscribe()
    }
  }

  function fail(found: Fault): void {
    stop()
    fault.value = found
    timer = setTimeout(start, backoffMs(++attempt))
  }

  start()
  return {
    frame,
    latest: () => latest,
    fault,
    retry: start,
    close() {
      clearTimeout(timer)
      stop()
    },
  }
}
