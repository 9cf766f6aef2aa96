// How late news is: the median of the last few hundred lags.

export interface Lag {
  add(ms: number): void
  /** Milliseconds; null before the first. */
  medianMs(): number | null
}

export function makeLag(samplesMax: number): Lag {
  const samples: number[] = []
  let next = 0
  return {
    add(ms) {
      samples[next] = Math.max(0, ms)
      next = (next + 1) % samplesMax
    },
    medianMs() {
      const sorted = [...samples].sort((a, b) => a - b)
      return sorted[Math.floor(sorted.length / 2)] ?? null
    },
  }
}
