import { expect, it } from 'vitest'
import { makeServerClock } from '../../../client/live/clock.ts'
import { readFreshness, type Signs } from '../../../client/live/freshness.ts'
import { backoffMs } from '../../../client/api/backoff.ts'

const open: Signs = { connection: { is: 'open' }, heartbeatAgeMs: 300, streamLagMs: 40, rowLagMs: 1_000 }

it('is live while heartbeat, stream and events keep up', () => expect(readFreshness(open)).toEqual({ is: 'live' }))

it('is delayed by the worst of the three', () => {
  expect(readFreshness({ ...open, rowLagMs: 12_000 })).toEqual({ is: 'delayed', behindMs: 12_000 })
  expect(readFreshness({ ...open, heartbeatAgeMs: 6_000, rowLagMs: 12_000 })).toEqual({
    is: 'delayed',
    behindMs: 12_000,
  })
  expect(readFreshness({ ...open, streamLagMs: 3_000 })).toEqual({ is: 'delayed', behindMs: 3_000 })
})

it('is live, not delayed, in a shop where nothing happens', () =>
  expect(readFreshness({ ...open, rowLagMs: null, streamLagMs: null })).toEqual({ is: 'live' }))

it('is not live before the first heartbeat, even on an open socket', () =>
  expect(readFreshness({ ...open, heartbeatAgeMs: null })).toEqual({ is: 'connecting' }))

it('is disconnected while it waits and while it tries again', () => {
  expect(readFreshness({ ...open, connection: { is: 'waiting', lostAt: 5, retryAt: 9 } })).toEqual({
    is: 'disconnected',
    lostAt: 5,
    retryAt: 9,
  })
  expect(readFreshness({ ...open, connection: { is: 'connecting', lostAt: 5 } }).is).toBe('disconnected')
  expect(readFreshness({ ...open, connection: { is: 'connecting', lostAt: null } }).is).toBe('connecting')
})

it('keeps the server’s time, undisturbed by single late messages', () => {
  let local = 1_000_000
  const clock = makeServerClock(() => local)
  expect(clock.nowMs()).toBe(1_000_000)
  clock.sample(1_500_000)
  local += 1_000
  clock.sample(1_500_100)
  expect(clock.nowMs()).toBe(1_501_000)
})

it('waits longer with each try, never in step with others, and never for more than 15 seconds', () => {
  expect([0, 1, 2, 3].map((attempt) => backoffMs(attempt, () => 1))).toEqual([500, 1_000, 2_000, 4_000])
  expect(backoffMs(3, () => 0)).toBe(2_000)
  expect(backoffMs(1_000, () => 1)).toBe(15_000)
})
