// The proof that nothing is missing: each delta names the cursor of the message before it.

/** What a fold answers when a delta does not follow on what it has: only a new snapshot helps. */
export const GAP = Symbol('gap')

export interface Link {
  kind: 'SNAPSHOT' | 'DELTA'
  cursor: string
  previousCursor: string | null
}

/** Whether `update` may be folded onto a state that stands at `cursor` (undefined: nothing yet). */
export function follows(cursor: string | undefined, update: Link): boolean {
  return update.kind === 'SNAPSHOT' || (cursor !== undefined && update.previousCursor === cursor)
}
