// Operational messages, as postMessages takes them.
import { MESSAGE_COLUMNS } from '../writer/tables/messages.ts'
import { checkEach, type CheckContext, type Checked, ROW_OVERHEAD_BYTES } from './checked.ts'
import { type Field, makeLineCheck, optionalJson, optionalText, required, requiredText } from './line.ts'
import type { InputRow } from './row.ts'
import { oneOf, Refusal } from './rules.ts'

type MessageColumn = (typeof MESSAGE_COLUMNS)[number]

const FIELDS: Record<Exclude<MessageColumn, 'id' | 'created_at'>, Field> = {
  severity: required('severity', oneOf('SUCCESS', 'WARNING', 'DANGER')),
  title: requiredText('title', 200),
  text: optionalText('text', 10_000),
  payload: optionalJson('payload', 16_384),
  channel: optionalText('channel', 100),
}

/** Makes the check of a call's messages. */
export function makeMessageCheck(): (rows: readonly InputRow[], context: CheckContext) => Checked<'messages'> {
  const checkLine = makeLineCheck({ columns: MESSAGE_COLUMNS, fields: FIELDS, timeName: 'at' })

  return (inputs, context) => {
    const lines: string[] = []
    let bytes = 0

    const rejected = checkEach(inputs, (row) => {
      const line = checkLine(row, context)
      if (line instanceof Refusal) return line
      lines.push(line.text)
      bytes += line.text.length + ROW_OVERHEAD_BYTES
    })
    return { table: 'messages', rows: { lines }, rowCount: lines.length, bytes, rejected }
  }
}
