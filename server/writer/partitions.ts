// Day partitions, made before rows of a new day are copied. In a transaction of their own: making one locks its table.
import type pg from 'pg'
import type { Call, PartitionNeeds } from './call.ts'

const DAY_MS = 86_400_000
/** Days remembered a table; more than any retention holds, and a bound on memory. */
const DAYS_REMEMBERED_MAX = 4_000

const ENSURE = `select cagg.ensure_partitions($1, $2, $3)`

export interface Partitions {
  /** Makes the partitions that the calls need and that this process has not seen yet. */
  ensure(client: pg.ClientBase, calls: readonly Call[]): Promise<void>
  /** Partitions may have been dropped by someone: look again. */
  forget(): void
}

export const dateOfDay = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10)

/** Days as runs without holes, so that a stray old row does not fill up the time between. */
export function runsOf(days: Iterable<number>): [first: number, last: number][] {
  const runs: [number, number][] = []
  for (const day of [...days].sort((a, b) => a - b)) {
    const run = runs.at(-1)
    if (run && day <= run[1] + 1) run[1] = day
    else runs.push([day, day])
  }
  return runs
}

export function makePartitions(): Partitions {
  const seen = new Map<PartitionNeeds['relation'], Set<number>>()

  const unseen = (calls: readonly Call[]): Map<PartitionNeeds['relation'], Set<number>> => {
    const needed = new Map<PartitionNeeds['relation'], Set<number>>()
    for (const { partitions } of calls) {
      if (!partitions) continue
      const known = seen.get(partitions.relation)
      for (const day of partitions.days) {
        if (known?.has(day)) continue
        const days = needed.get(partitions.relation) ?? new Set()
        needed.set(partitions.relation, days.add(day))
      }
    }
    return needed
  }

  return {
    async ensure(client, calls) {
      for (const [relation, days] of unseen(calls)) {
        for (const [first, last] of runsOf(days)) {
          await client.query(ENSURE, [relation, dateOfDay(first), dateOfDay(last)])
        }
        const known = seen.get(relation) ?? new Set()
        if (known.size + days.size > DAYS_REMEMBERED_MAX) known.clear()
        for (const day of days) known.add(day)
        seen.set(relation, known)
      }
    },
    forget: () => seen.clear(),
  }
}
