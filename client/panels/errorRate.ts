// When errors are out of line: by their share of the checkouts, never by their number, which grows with a good day.

export type ErrorTone = 'normal' | 'critical'

/** Fewer failures than this are never an alarm. */
const ERRORS_MIN = 5
/** A shop at rest fails one checkout in a hundred; a base below that would make the second error an alarm. */
const BASE_RATE_MIN = 0.01
const FACTOR_MIN = 1.5
const SIGMAS = 3
/** At this share it is out of line whatever the window before was like. */
const RATE_MAX = 0.05

/**
 * `errors` of `checkouts` (errors + purchases) failed; `previousRate` is that of the window before. Critical when the rate
 * lies three standard deviations of a binomial count above the base, and half as high again, or above 5 %.
 */
export function readErrorTone(errors: number, checkouts: number, previousRate: number | null): ErrorTone {
  if (errors < ERRORS_MIN || checkouts <= 0) return 'normal'
  const rate = errors / checkouts
  const base = Math.max(previousRate ?? 0, BASE_RATE_MIN)
  const deviation = Math.sqrt((base * (1 - Math.min(base, 0.99))) / checkouts)
  const unlikely = rate > base * FACTOR_MIN && rate > base + SIGMAS * deviation
  return unlikely || rate >= RATE_MAX ? 'critical' : 'normal'
}
