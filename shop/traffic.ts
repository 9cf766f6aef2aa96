// How busy the shop is and how its visitors behave, as a function of time: the simulation reads it once a second.
// A scenario is one more function from a profile to a profile.

export interface Traffic {
  /** Mean of the Poisson process by which sessions start. */
  sessionsPerSecond: number
  /** Share of sessions that come to buy. */
  buyerShare: number
  /** Share of checkouts that end in an error. */
  checkoutErrorShare: number
  /** Share of delivered orders that come back. */
  returnShare: number
}

export type TrafficProfile = (atMs: number) => Traffic

// Orders by hour of the day (UTC, %) and by day of the week (Sunday first, relative).
const hourWeights = [
  3.6, 3.0, 2.4, 2.0, 1.8, 1.7, 1.7, 1.8, 2.0, 2.2, 2.7, 3.4, 4.0, 4.6, 5.0, 5.7, 6.4, 7.2, 7.5, 7.8, 7.5, 6.2, 5.2,
  4.5,
]
const dayWeights = [1.15, 1.12, 1.0, 1.0, 1.02, 0.88, 0.85]
const hourMs = 3_600_000

/** The day's and the week's shape at a time, about 1 on average; drawn through the middles of the hours, so it has no steps. */
export function dayShape(atMs: number): number {
  const fromMiddle = atMs / hourMs - 0.5
  const hour = Math.floor(fromMiddle)
  const share = fromMiddle - hour
  return weightOfHour(hour) * (1 - share) + weightOfHour(hour + 1) * share
}

function weightOfHour(hour: number): number {
  const day = (Math.floor(hour / 24) + 4) % 7 // 1970-01-01 was a Thursday
  return (hourWeights[hour % 24]! / (100 / 24)) * dayWeights[day]!
}

export interface SteadyTraffic {
  profile: TrafficProfile
  ratePerSecond(): number
  /** From the next second on. */
  setRate(perSecond: number): void
}

/**
 * The normal shop. From `liveAtMs` on it is as busy as asked for; before it, in the back-filled past, it follows the day's
 * shape around that rate, so the two meet without a step.
 */
export function makeTraffic(options: { ratePerSecond: number; liveAtMs: number }): SteadyTraffic {
  let rate = options.ratePerSecond
  const shapeNow = dayShape(options.liveAtMs)
  return {
    ratePerSecond: () => rate,
    setRate: (perSecond) => (rate = perSecond),
    profile: (atMs) => ({
      sessionsPerSecond: atMs >= options.liveAtMs ? rate : (rate * dayShape(atMs)) / shapeNow,
      buyerShare: 0.25,
      checkoutErrorShare: 0.01,
      returnShare: 0.1,
    }),
  }
}
