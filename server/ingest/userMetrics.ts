// Page views and time spent, per user, as recordUserMetrics takes them.
import { USER_METRIC_COLUMNS } from '../writer/tables/userMetrics.ts'
import { checkEach, type CheckContext, type Checked, ROW_OVERHEAD_BYTES } from './checked.ts'
import { type Field, makeLineCheck, required } from './line.ts'
import type { InputRow } from './row.ts'
import { Refusal, uuid, whole } from './rules.ts'

type UserMetricColumn = (typeof USER_METRIC_COLUMNS)[number]

const FIELDS: Record<Exclude<UserMetricColumn, 'id' | 'created_at'>, Field> = {
  user_id: required('userId', uuid),
  page_views: required('pageViews', whole(0)),
  duration: required('duration', whole(0)),
}

/** Makes the check of a call's user metrics. */
export function makeUserMetricCheck(): (rows: readonly InputRow[], context: CheckContext) => Checked<'userMetrics'> {
  const checkLine = makeLineCheck({ columns: USER_METRIC_COLUMNS, fields: FIELDS, timeName: 'timestamp' })

  return (inputs, context) => {
    const lines: string[] = []
    const userIds: string[] = []
    const indexes: number[] = []
    let bytes = 0

    const rejected = checkEach(inputs, (row, index) => {
      const line = checkLine(row, context)
      if (line instanceof Refusal) return line
      lines.push(line.text)
      userIds.push((row.userId as string).toLowerCase())
      indexes.push(index)
      bytes += line.text.length + ROW_OVERHEAD_BYTES
    })
    return { table: 'userMetrics', rows: { lines, userIds, indexes }, rowCount: lines.length, bytes, rejected }
  }
}
