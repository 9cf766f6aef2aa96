// The windows one can choose, and how finely each is drawn: at most 300 buckets, aligned to the clock.

export interface TimeWindow {
  id: string
  label: string
  /** In a sentence: "the last …". */
  words: string
  duration: string
  bucket: string
  bucketMs: number
  length: number
}

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS

export const WINDOWS = [
  { id: '1m', label: '1 m', words: 'minute', duration: 'PT1M', bucket: 'PT1S', bucketMs: SECOND_MS, length: 60 },
  { id: '5m', label: '5 m', words: '5 minutes', duration: 'PT5M', bucket: 'PT5S', bucketMs: 5 * SECOND_MS, length: 60 },
  { id: '1h', label: '1 h', words: 'hour', duration: 'PT1H', bucket: 'PT30S', bucketMs: 30 * SECOND_MS, length: 120 },
  {
    id: '24h',
    label: '24 h',
    words: '24 hours',
    duration: 'P1D',
    bucket: 'PT10M',
    bucketMs: 10 * MINUTE_MS,
    length: 144,
  },
] as const satisfies readonly TimeWindow[]

/** The window named so; 5 minutes when no window is. */
export const readWindow = (id: unknown): TimeWindow => WINDOWS.find((window) => window.id === id) ?? WINDOWS[1]

/** Whatever window is chosen, these two stay: the pulse of the cards, and the clock-aligned 10 seconds. */
export const PULSE = { duration: 'PT2M', bucket: 'PT1S', bucketMs: SECOND_MS, length: 120 }
export const TEN_SECONDS = { duration: 'PT5M', bucket: 'PT10S', bucketMs: 10 * SECOND_MS, length: 30 }
