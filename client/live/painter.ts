// When things are painted: with the browser's next frame, never in a hidden tab, and not while the view is held.

export interface Painter {
  /** Runs `paint` with the next frame; asked for again before that, it still runs once. */
  request(paint: () => void): void
  /** Holds the view: what is asked for meanwhile waits for `release`. */
  hold(): void
  release(): void
  close(): void
}

/** `nextFrame`: requestAnimationFrame, which by itself stands still while the tab is hidden. */
export function makePainter(nextFrame: (run: () => void) => void = (run) => requestAnimationFrame(run)): Painter {
  const waiting = new Set<() => void>()
  let scheduled = false
  let held = false

  function schedule(): void {
    if (scheduled || held || waiting.size === 0) return
    scheduled = true
    nextFrame(() => {
      scheduled = false
      if (held) return
      const paints = [...waiting]
      waiting.clear()
      for (const paint of paints) paint()
    })
  }
  return {
    request(paint) {
      waiting.add(paint)
      schedule()
    },
    hold: () => void (held = true),
    release() {
      held = false
      schedule()
    },
    close: () => waiting.clear(),
  }
}
