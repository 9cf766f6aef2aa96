// Stretches of time that changed: what is gathered before a look is bounded, and covers what came.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { joinChanges, spansOf } from '../../server/subscriptions/spans.ts'

const source = { view: 'metrics.messages_1s', bucketMs: 1000 }
const hour = Date.UTC(2026, 10, 22, 9)

const change = fc
  .record({
    second: fc.integer({ min: 0, max: 3600 }),
    seconds: fc.integer({ min: 0, max: 5 }),
    at: fc.integer({ min: 0, max: 3600 }),
  })
  .map(({ second, seconds, at }) => ({
    view: source.view,
    firstBucket: new Date(hour + second * 1000),
    lastBucket: new Date(hour + (second + seconds) * 1000),
    committedAt: new Date(hour + at * 1000),
  }))

test('changes joined are no more than asked for, cover all that came, and were committed with the newest', () => {
  const some = fc.array(change, { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(some, fc.integer({ min: 1, max: 20 }), (changes, spansMax) => {
      const joined = joinChanges(changes, source, spansMax)
      expect(joined.length).toBeLessThanOrEqual(spansMax)
      for (const { firstBucket, lastBucket } of changes) {
        const isCovered = joined.some((each) => each.firstBucket <= firstBucket && each.lastBucket >= lastBucket)
        expect(isCovered).toBe(true)
      }
      const newest = Math.max(...changes.map(({ committedAt }) => committedAt.getTime()))
      expect(joined.every(({ committedAt }) => committedAt.getTime() === newest)).toBe(true)
    }),
  )
})

test('with room for all, joining adds nothing to what came', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
      const joined = joinChanges(changes, source, 1000)
      expect(spansOf(joined, source, new Date(hour), 1000)).toEqual(spansOf(changes, source, new Date(hour), 1000))
    }),
  )
})
