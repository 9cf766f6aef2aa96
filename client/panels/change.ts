// What a change against the window before says, and when it says nothing: too small a base, or nothing known.
import type { Direction } from '../api/generated/documents.ts'

export type Change =
  | { is: 'unknown' }
  /** Too few to compare: `n` of them in the window before. */
  | { is: 'few'; n: number }
  | { is: 'change'; ratio: number; direction: 'up' | 'down' | 'flat'; tone: 'good' | 'bad' | 'neutral' }

/** Below so many in the window before, a change is chance: two more than ten would be "+20 %". */
const BASE_MIN = 20
/** Changes that would read "0 %". */
const FLAT_RATIO = 0.0005

/**
 * `base`: how many things the value before stands on (orders for revenue, the count itself for a count).
 * Colour follows the meaning: a rise of what is bad is bad.
 */
export function readChange(
  value: number | null | undefined,
  previous: number | null | undefined,
  base: number | null | undefined,
  upIs: Direction,
): Change {
  if (value == null || previous == null || base == null) return { is: 'unknown' }
  if (base < BASE_MIN || previous <= 0) return { is: 'few', n: Math.round(base) }
  const ratio = (value - previous) / previous
  if (Math.abs(ratio) < FLAT_RATIO) return { is: 'change', ratio: 0, direction: 'flat', tone: 'neutral' }
  const direction = ratio > 0 ? 'up' : 'down'
  if (upIs === 'NEUTRAL') return { is: 'change', ratio, direction, tone: 'neutral' }
  return { is: 'change', ratio, direction, tone: ratio > 0 === (upIs === 'GOOD') ? 'good' : 'bad' }
}
