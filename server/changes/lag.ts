// How late news is: the median of the last few hundred lags, as far as they are of late.

export interface Lag {
  add(ms: number): void
  /** Milliseconds; null where nothing came of late. */
  medianMs(): number | null
}

export function makeLag(samplesMax: number, ageMsMax: number, nowMs: () => number = () => performance.now()): Lag {
  const samples: { ms: number; atMs: number }[] = []
  let next = 0
  return {
    add(ms) {
      samples[next] = { ms: Math.max(0, ms), atMs: nowMs() }
      next = (next + 1) % samplesMax
    },
    medianMs() {
      const oldestMs = nowMs() - ageMsMax
      const sorted = samples.filter(({ atMs }) => atMs >= oldestMs).sort((a, b) => a.ms - b.ms)
      return sorted[Math.floor(sorted.length / 2)]?.ms ?? null
    },
  }
}
