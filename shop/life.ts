// What becomes of an order, drawn from its id alone: a restarted shop goes on with open orders exactly as it had planned.
import { makeRandom } from './random.ts'

const minuteMs = 60_000

/** Spans of real time, before `--speed` compresses them. */
export interface Life {
  cancelled: boolean
  cancelAfterMs: number
  shipAfterMs: number
  deliverAfterMs: number
  returnAfterMs: number
  /** Comes back when this is below the share of returns at the time of its delivery. */
  returnDraw: number
}

/** 5 % are cancelled within the hour; the others ship within 3 days, arrive within 5 more, and come back within 3 more. */
export function lifeOf(orderId: string): Life {
  const random = makeRandom(orderId)
  return {
    cancelled: random.chance(0.05),
    cancelAfterMs: random.between(1, 60) * minuteMs,
    shipAfterMs: random.between(1, 4_320) * minuteMs,
    deliverAfterMs: random.between(1, 7_200) * minuteMs,
    returnAfterMs: random.between(1, 4_320) * minuteMs,
    returnDraw: random.next(),
  }
}
