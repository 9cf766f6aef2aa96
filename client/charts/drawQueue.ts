// Who may draw next: one chart a frame, each at most once a second, so that a dashboard full of charts misses no frame.
import { inject, type InjectionKey } from 'vue'

export interface DrawQueue {
  /** `draw` of `chart` runs when its turn comes; asked for again before that, the newer replaces the older. */
  request(chart: object, draw: () => void): void
  /** What is gone is not drawn any more. */
  forget(chart: object): void
}

export const DRAW_QUEUE: InjectionKey<DrawQueue> = Symbol('draw queue')

/** A little less than a second: what comes every second must not miss its turn by a millisecond, and wait for the next. */
const REST_MS = 900

export function makeDrawQueue(
  nextFrame: (run: () => void) => void = (run) => requestAnimationFrame(run),
  nowMs: () => number = () => performance.now(),
): DrawQueue {
  const waiting = new Map<object, () => void>()
  const drawnMs = new WeakMap<object, number>()
  let scheduled = false

  function schedule(): void {
    if (scheduled || waiting.size === 0) return
    scheduled = true
    nextFrame(() => {
      scheduled = false
      for (const [chart, draw] of waiting) {
        if (nowMs() - (drawnMs.get(chart) ?? -Infinity) < REST_MS) continue
        waiting.delete(chart)
        drawnMs.set(chart, nowMs())
        draw()
        break
      }
      schedule()
    })
  }
  return {
    request(chart, draw) {
      waiting.set(chart, draw)
      schedule()
    },
    forget: (chart) => void waiting.delete(chart),
  }
}

export function useDrawQueue(): DrawQueue {
  return inject(DRAW_QUEUE, makeDrawQueue, true)
}
