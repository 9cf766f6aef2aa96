// How long to wait before the next try: doubling, capped, and spread so that a thousand tabs do not come back at once.

const FIRST_MS = 500
const CAP_MS = 15_000

/** Milliseconds before try number `attempt` (0 is the first retry): between half and all of the doubled wait. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const full = Math.min(CAP_MS, FIRST_MS * 2 ** Math.min(attempt, 20))
  return Math.round(full / 2 + (random() * full) / 2)
}
