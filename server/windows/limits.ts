// What a window may cost, with the unit of each limit in its name.
import { HOUR_MS, MINUTE_MS } from '../metrics/spans.ts'

export interface WindowLimits {
  everyMsMin: number
  everyMsMax: number
  bucketsMax: number
  topMax: number
  metricsMax: number
  filterKeysMax: number
  /** Buckets × keys one window may hold in memory. */
  cellsMax: number
  /** Raw events that can be read within 100 ms, window and the window before together. */
  rawRowsMax: number
  /** Raw events a funnel may look at. */
  funnelRowsMax: number
  funnelStepsMax: number
  /** Stretches of time read again in one tick; more are joined. */
  rangesMax: number
  /** Rows may be dated this much ahead: so far windows read on. */
  aheadMs: number
  /** Who comes to a window right after others waits for more to come, at most so long: all get the first message together. */
  gatherMs: number
  /** The same where several came and it took long to tell them, as in a storm of thousands: fewer looks, each for more of them. */
  stormGatherMs: number
  /** What is long. */
  arrivalMsMax: number
  /** A window nobody watches is kept this long, in case someone comes back. */
  lingerMs: number
  /** A window in which nothing happens moves its cursor on this often, or the change log would outrun it. */
  cursorMaxAgeMs: number
  windowsMax: number
  subscribersMax: number
  /** Transactions that read for streams at once. */
  readersMax: number
  /** The same for single questions, history and funnels: what takes long there keeps no stream waiting. */
  questionsMax: number
  /** Of these, as many may wait. */
  questionsWaitingMax: number
  readTimeoutMs: number
  /** Statements whose plans each connection keeps. */
  statementNamesMax: number
  /** Share of the time that one window may spend on reading: one that takes long to read ticks less often. */
  readShareMax: number
  retryIntervalMs: number
  retryIntervalMsMax: number
}

export const WINDOW_LIMITS: WindowLimits = {
  everyMsMin: 50,
  everyMsMax: HOUR_MS,
  bucketsMax: 1_000,
  topMax: 100,
  metricsMax: 40,
  filterKeysMax: 1_000,
  cellsMax: 300_000,
  rawRowsMax: 100_000,
  funnelRowsMax: 2_000_000,
  funnelStepsMax: 10,
  rangesMax: 6,
  aheadMs: 5 * MINUTE_MS,
  gatherMs: 250,
  stormGatherMs: 1_000,
  arrivalMsMax: 50,
  lingerMs: 5_000,
  cursorMaxAgeMs: 5 * MINUTE_MS,
  windowsMax: 1_000,
  subscribersMax: 100_000,
  readersMax: 4,
  questionsMax: 3,
  questionsWaitingMax: 200,
  readTimeoutMs: 15_000,
  statementNamesMax: 50,
  readShareMax: 0.25,
  retryIntervalMs: 250,
  retryIntervalMsMax: 5_000,
}
