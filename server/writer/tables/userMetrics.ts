// Page views and time spent, per user: COPY of the rows whose user exists.
import type pg from 'pg'
import type { Part } from '../call.ts'
import { copyLines, copyStatement } from '../copy.ts'
import { readGenders } from './references.ts'

/** The order of a line's fields: the check writes lines in it. */
export const USER_METRIC_COLUMNS = ['id', 'created_at', 'user_id', 'page_views', 'duration'] as const

const COPY_USER_METRICS = copyStatement('user_metrics', USER_METRIC_COLUMNS)

export interface UserMetricRows {
  lines: string[]
  /** Of each line. */
  userIds: string[]
  /** Of each line: its place in the call. */
  indexes: number[]
}

export async function writeUserMetrics(client: pg.ClientBase, parts: readonly Part<UserMetricRows>[]): Promise<void> {
  const known = await readGenders(client, new Set(parts.flatMap(({ rows }) => rows.userIds)))
  const lines: string[] = []
  for (const { rows, result } of parts) {
    rows.lines.forEach((line, at) => {
      if (known.has(rows.userIds[at] as string)) {
        lines.push(line)
        result.accepted += 1
      } else {
        result.rejected.push({
          index: rows.indexes[at] as number,
          code: 'UNKNOWN_REFERENCE',
          path: ['userId'],
          message: 'There is no user with this id.',
        })
      }
    })
  }
  await copyLines(client, COPY_USER_METRICS, lines)
}
