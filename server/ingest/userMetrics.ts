// Page views and time spent, per user, as recordUserMetrics takes them.
import { USER_METRIC_COLUMNS } from '../writer/tables/userMetrics.ts'
import { checkEach, type CheckContext, type Checked, ROW_OVERHEAD_BYTES } from './checked.ts'
import { about, type Field, type InputRow, makeLineCheck, required } from './row.ts'
import { momentMs, momentText, Refusal, uuid, whole } from './rules.ts'

type UserMetricColumn = (typeof USER_METRIC_COLUMNS)[number]

const FIELDS: Record<Exclude<UserMetricColumn, 'id' | 'created_at'>, Field> = {
  user_id: required('userId', uuid),
  page_views: required('pageViews', whole(0)),
  duration: required('duration', whole(0)),
}

const [, , ...otherColumns] = USER_METRIC_COLUMNS

/** Makes the check of a call's user metrics. */
export function makeUserMetricCheck(): (rows: readonly InputRow[], context: CheckContext) => Checked<'userMetrics'> {
  const checkFields = makeLineCheck(
    otherColumns.map((column) => FIELDS[column]),
    ['timestamp'],
  )

  return (inputs, { now, newId }) => {
    const lines: string[] = []
    const userIds: string[] = []
    const indexes: number[] = []
    let bytes = 0

    const rejected = checkEach(inputs, (row, index) => {
      const fields = checkFields(row)
      if (fields instanceof Refusal) return fields
      const given = row.timestamp ?? null
      const ms = given === null ? now.nowMs : momentMs(given, now)
      if (ms instanceof Refusal) return about('timestamp', ms)
      const line = `${newId()}\t${given === null ? now.nowText : momentText(given, ms)}${fields}\n`
      lines.push(line)
      userIds.push((row.userId as string).toLowerCase())
      indexes.push(index)
      bytes += line.length + ROW_OVERHEAD_BYTES
    })
    return { table: 'userMetrics', rows: { lines, userIds, indexes }, rowCount: lines.length, bytes, rejected }
  }
}
