import { expect, it } from 'vitest'
import type { MetricsFrame } from '../../../client/live/fold/metrics.ts'
import { bucketEnd, readSeries, thin } from '../../../client/live/series.ts'

const frame = (points: Record<number, (number | null)[]>, windowEndMs = 10_000): MetricsFrame => ({
  cursor: 'a',
  windowStartMs: windowEndMs - 10_000,
  windowEndMs,
  committedAtMs: null,
  totals: new Map(),
  points: new Map(Object.entries(points).map(([second, values]) => [Number(second) * 1_000, values])),
})
const span = (nowMs: number) => ({ bucketMs: 1_000, length: 4, nowMs })

it('shows 0 for an additive metric where no rows are, and nothing for a ratio', () => {
  const some = frame({ 7: [5, 0.5], 9: [3, null] })
  expect(readSeries(some, 0, 'ADDITIVE', span(9_500)).values).toEqual([0, 5, 0, 3])
  expect(readSeries(some, 1, 'RATIO', span(9_500)).values).toEqual([null, 0.5, null, null])
})

it('always has the same length and ends with the current bucket', () => {
  const { startsMs, values } = readSeries(frame({}), 0, 'ADDITIVE', span(9_999))
  expect(values).toHaveLength(4)
  expect(startsMs).toEqual([6_000, 7_000, 8_000, 9_000])
})

it('moves on with the clock while the stream is silent', () => {
  const some = frame({ 9: [3] })
  expect(readSeries(some, 0, 'ADDITIVE', span(11_200)).values).toEqual([0, 3, 0, 0])
})

it('does not fall behind a server that is a little ahead of the page’s clock', () => {
  expect(readSeries(frame({ 9: [3] }), 0, 'ADDITIVE', span(8_990)).values.at(-1)).toBe(3)
})

it('aligns buckets to the clock, not to when the page was opened', () => {
  expect(bucketEnd(12_345, 10_000)).toBe(20_000)
  expect(bucketEnd(20_000, 10_000)).toBe(30_000)
})

it('thins in whole steps of the clock and leaves the unfinished one out', () => {
  const startsMs = [6_000, 7_000, 8_000, 9_000, 10_000, 11_000, 12_000]
  expect(thin({ startsMs, values: [9, 9, 1, 3, 5, 7, 9] }, 2)).toEqual([9, 2, 6])
  expect(thin({ startsMs, values: [9, 9, 1, 3, 5, 7, 9] }, 4)).toEqual([4])
})
