// How often each key may call: a bucket of tokens that fills at a steady rate, and one token a call.
import type { Caller } from '../access/callers.ts'
import { LookoutError } from '../errors.ts'
import type { TransportLimits } from './limits.ts'

interface Bucket {
  calls: number
  atMs: number
}

export interface Rates {
  /** @throws LookoutError RATE_LIMITED, with the time after which a call is taken again. */
  count(caller: Caller): void
}

/** Callers without a key are on this machine, and not counted. There are no more buckets than keys. */
export function makeRates(
  { callsPerSecondMax, callsAtOnceMax }: Pick<TransportLimits, 'callsPerSecondMax' | 'callsAtOnceMax'>,
  nowMs: () => number = () => performance.now(),
): Rates {
  const buckets = new WeakMap<Caller, Bucket>()
  return {
    count(caller) {
      if (!caller.isCounted) return
      const now = nowMs()
      const { calls, atMs } = buckets.get(caller) ?? { calls: callsAtOnceMax, atMs: now }
      const left = Math.min(callsAtOnceMax, calls + ((now - atMs) / 1000) * callsPerSecondMax)
      buckets.set(caller, { calls: left >= 1 ? left - 1 : left, atMs: now })
      if (left >= 1) return
      const retryAfterMs = Math.ceil(((1 - left) / callsPerSecondMax) * 1000)
      throw new LookoutError('RATE_LIMITED', `A key makes up to ${callsPerSecondMax} calls a second.`, { retryAfterMs })
    },
  }
}
