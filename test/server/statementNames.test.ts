// Which statements a connection keeps the plan of.
import { expect, it } from 'vitest'
import { makeStatementNames } from '../../server/windows/statementNames.ts'

it('names a statement from its third time on, always alike, and no more of them than it may', () => {
  const nameOf = makeStatementNames(2)
  const [, , , a, , b, again] = ['a', 'b', 'a', 'a', 'b', 'b', 'a'].map(nameOf)
  expect([a, b, again]).toEqual([expect.stringMatching(/^lookout_\w+$/), expect.stringMatching(/^lookout_\w+$/), a])
  expect(a).not.toBe(b)
  expect(['c', 'c', 'c', 'c', 'b'].map(nameOf)).toEqual([undefined, undefined, undefined, undefined, b])
  const other = makeStatementNames(1)
  expect(['b', 'b', 'b'].map(other).at(-1)).toBe(b)
})
