import { expect, it } from 'vitest'
import { makeFormat } from '../../../client/format.ts'
import type { MetricsFrame } from '../../../client/live/fold/metrics.ts'
import { readErrorAlarm } from '../../../client/panels/cards.ts'
import { readChange } from '../../../client/panels/change.ts'
import { readErrorTone } from '../../../client/panels/errorRate.ts'

it('colours a change by its meaning, not by its sign', () => {
  expect(readChange(150, 100, 100, 'GOOD')).toEqual({ is: 'change', ratio: 0.5, direction: 'up', tone: 'good' })
  expect(readChange(50, 100, 100, 'GOOD')).toMatchObject({ direction: 'down', tone: 'bad' })
  expect(readChange(150, 100, 100, 'BAD')).toMatchObject({ direction: 'up', tone: 'bad' })
  expect(readChange(50, 100, 100, 'BAD')).toMatchObject({ direction: 'down', tone: 'good' })
  expect(readChange(150, 100, 100, 'NEUTRAL')).toMatchObject({ direction: 'up', tone: 'neutral' })
})

it('shows no change where the base is too small, but how small it is', () => {
  expect(readChange(14, 7, 7, 'GOOD')).toEqual({ is: 'few', n: 7 })
  expect(readChange(4_000, 900, 12, 'GOOD')).toEqual({ is: 'few', n: 12 })
  expect(readChange(5, 0, 0, 'GOOD')).toEqual({ is: 'few', n: 0 })
})

it('shows no change where either side is not defined', () => {
  expect(readChange(null, 100, 100, 'GOOD')).toEqual({ is: 'unknown' })
  expect(readChange(100, null, 100, 'GOOD')).toEqual({ is: 'unknown' })
})

it('is flat, and without colour, when nothing has changed', () =>
  expect(readChange(10_001, 10_000, 10_000, 'GOOD')).toMatchObject({ direction: 'flat', tone: 'neutral' }))

it('does not call ten times the errors of a ten times better day an alarm', () =>
  expect(readErrorTone(100, 10_000, 0.01)).toBe('normal'))

it('calls a doubled error rate an alarm once it can be no chance', () => {
  expect(readErrorTone(6, 300, 0.01)).toBe('normal')
  expect(readErrorTone(40, 2_000, 0.01)).toBe('critical')
})

it('does not call a handful of errors an alarm, whatever their share', () => {
  expect(readErrorTone(1, 1, null)).toBe('normal')
  expect(readErrorTone(4, 10, 0.01)).toBe('normal')
})

it('calls every twentieth checkout an alarm, even when the window before was as bad', () =>
  expect(readErrorTone(60, 1_000, 0.06)).toBe('critical'))

it('says in words what is out of line, and nothing when all is well', () => {
  const format = makeFormat({ locale: 'en-US' })
  const frame = (errors: number, rate: number) =>
    ({
      totals: new Map([
        ['ERRORS', { value: errors, previous: 10 }],
        ['PURCHASES', { value: 1_000 - errors, previous: 990 }],
        ['ERROR_RATE', { value: rate, previous: 0.01 }],
      ]),
    }) as unknown as MetricsFrame
  expect(readErrorAlarm(frame(10, 0.01), format)).toBeNull()
  expect(readErrorAlarm(frame(200, 0.2), format)).toBe('20.0% of checkouts failed, was 1.0%')
})
