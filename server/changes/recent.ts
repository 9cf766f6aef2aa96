// The last changes of each view, so that a window read anew can say when its newest change was committed.
import { type Change, newestCommit } from './changesSince.ts'

export interface Recent {
  add(changes: readonly Change[]): void
  newest(views: readonly string[], fromMs: number, toMs: number): Date | null
}

export function makeRecent(changesMax: number): Recent {
  const byView = new Map<string, Change[]>()
  return {
    add(changes) {
      for (const change of changes) {
        const known = byView.get(change.view) ?? []
        known.push(change)
        if (known.length > 2 * changesMax) known.splice(0, known.length - changesMax)
        byView.set(change.view, known)
      }
    },
    newest: (views, fromMs, toMs) =>
      newestCommit(
        views
          .flatMap((view) => byView.get(view) ?? [])
          .filter(({ firstBucket, lastBucket }) => lastBucket.getTime() >= fromMs && firstBucket.getTime() < toMs),
      ),
  }
}
