// The view may be held while the streams go on: what is on screen stays, what came meanwhile is counted.
import { shallowRef, type ShallowRef } from 'vue'
import type { Painter } from './painter.ts'

export interface View {
  /** When it was held, in ms by the server's clock; null while it is live. */
  readonly heldAtMs: Readonly<ShallowRef<number | null>>
  /** Rows that came in since. */
  readonly missed: Readonly<ShallowRef<number>>
  hold(): void
  release(): void
  toggle(): void
}

const COUNT_EVERY_MS = 500

/** `arrived`: rows come in so far, over all streams; it only ever grows. */
export function makeView(painter: Painter, { nowMs, arrived }: { nowMs(): number; arrived(): number }): View {
  const heldAtMs = shallowRef<number | null>(null)
  const missed = shallowRef(0)
  let counting: ReturnType<typeof setInterval> | undefined

  function hold(): void {
    if (heldAtMs.value !== null) return
    painter.hold()
    heldAtMs.value = nowMs()
    const before = arrived()
    missed.value = 0
    counting = setInterval(() => (missed.value = arrived() - before), COUNT_EVERY_MS)
  }
  function release(): void {
    clearInterval(counting)
    heldAtMs.value = null
    painter.release()
  }
  return { heldAtMs, missed, hold, release, toggle: () => (heldAtMs.value === null ? hold() : release()) }
}
