// Operational messages, as postMessages takes them.
import { MESSAGE_COLUMNS } from '../writer/tables/messages.ts'
import { checkEach, type CheckContext, type Checked, ROW_OVERHEAD_BYTES } from './checked.ts'
import {
  about,
  type Field,
  type InputRow,
  makeLineCheck,
  optionalJson,
  optionalText,
  required,
  requiredText,
} from './row.ts'
import { momentMs, momentText, oneOf, Refusal } from './rules.ts'

type MessageColumn = (typeof MESSAGE_COLUMNS)[number]

const FIELDS: Record<Exclude<MessageColumn, 'id' | 'created_at'>, Field> = {
  severity: required('severity', oneOf('SUCCESS', 'WARNING', 'DANGER')),
  title: requiredText('title', 200),
  text: optionalText('text', 10_000),
  payload: optionalJson('payload', 16_384),
  channel: optionalText('channel', 100),
}

const [, , ...otherColumns] = MESSAGE_COLUMNS

/** Makes the check of a call's messages. */
export function makeMessageCheck(): (rows: readonly InputRow[], context: CheckContext) => Checked<'messages'> {
  const checkFields = makeLineCheck(
    otherColumns.map((column) => FIELDS[column]),
    ['at'],
  )

  return (inputs, { now, newId }) => {
    const lines: string[] = []
    let bytes = 0

    const rejected = checkEach(inputs, (row) => {
      const fields = checkFields(row)
      if (fields instanceof Refusal) return fields
      const given = row.at ?? null
      const ms = given === null ? now.nowMs : momentMs(given, now)
      if (ms instanceof Refusal) return about('at', ms)
      const line = `${newId()}\t${given === null ? now.nowText : momentText(given, ms)}${fields}\n`
      lines.push(line)
      bytes += line.length + ROW_OVERHEAD_BYTES
    })
    return { table: 'messages', rows: { lines }, rowCount: lines.length, bytes, rejected }
  }
}
