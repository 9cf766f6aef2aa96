// What the writer says of itself: rows by outcome, the rate of the last seconds, the median of the last commits.
import type { IngestResult } from './call.ts'

const RATE_SECONDS = 5
const COMMITS_REMEMBERED = 256

export interface Statistics {
  /** `repeated`: the answer was given before, so what it accepted are duplicates now. */
  count(result: IngestResult, repeated?: boolean): void
  committed(latencyMs: number): void
  rows(): { accepted: number; duplicate: number; rejected: number }
  /** Accepted rows a second, over the last 5 seconds. */
  rowsPerSecond(): number
  /** Median of the last 256 commits; null before the first. */
  commitLatencyMs(): number | null
}

/** `clock`: milliseconds. */
export function makeStatistics(clock: () => number = Date.now): Statistics {
  const rows = { accepted: 0, duplicate: 0, rejected: 0 }
  const started = clock()
  // A ring of whole seconds, one more than is shown: the current one is not over.
  const seconds = Array.from({ length: RATE_SECONDS + 1 }, () => ({ second: 0, accepted: 0 }))
  const latencies: number[] = []
  let commits = 0

  const slotOf = (second: number) => {
    const slot = seconds[second % seconds.length] as { second: number; accepted: number }
    if (slot.second !== second) Object.assign(slot, { second, accepted: 0 })
    return slot
  }

  return {
    count({ accepted, duplicates, rejected }, repeated = false) {
      rows.rejected += rejected.length
      rows.duplicate += repeated ? accepted + duplicates : duplicates
      if (repeated) return
      rows.accepted += accepted
      slotOf(Math.floor(clock() / 1000)).accepted += accepted
    },
    committed(latencyMs) {
      latencies[commits % COMMITS_REMEMBERED] = latencyMs
      commits += 1
    },
    rows: () => ({ ...rows }),
    rowsPerSecond() {
      const now = clock()
      const current = Math.floor(now / 1000)
      const oldest = current - RATE_SECONDS + 1
      const accepted = seconds.filter((slot) => slot.second >= oldest).reduce((sum, slot) => sum + slot.accepted, 0)
      // The span these slots cover: four whole seconds and the part of the current one, or the time since the start.
      const spanMs = Math.min(now - oldest * 1000, now - started)
      return spanMs > 0 ? (accepted * 1000) / Math.max(spanMs, 1000) : 0
    },
    commitLatencyMs() {
      if (latencies.length === 0) return null
      const sorted = [...latencies].sort((a, b) => a - b)
      return sorted[Math.floor(sorted.length / 2)] ?? null
    },
  }
}
