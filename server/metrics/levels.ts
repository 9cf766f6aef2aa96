// The widths every family of views comes in, and how long each is kept. A view's name ends with its level's.
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from './spans.ts'

export interface Level {
  name: '1s' | '1m' | '1h' | '1d'
  widthMs: number
  /** How far back its buckets reach from now; Infinity: they are never dropped. */
  keepMs: number
}

/** Finest first. */
export const LEVELS: readonly Level[] = [
  { name: '1s', widthMs: SECOND_MS, keepMs: DAY_MS },
  { name: '1m', widthMs: MINUTE_MS, keepMs: 30 * DAY_MS },
  { name: '1h', widthMs: HOUR_MS, keepMs: Infinity },
  { name: '1d', widthMs: DAY_MS, keepMs: Infinity },
]
