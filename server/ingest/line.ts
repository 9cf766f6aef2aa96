// Rows that become one line for COPY: which fields there are, what each is held to, and where it goes, as data.
import { NULL_FIELD, textField } from '../writer/copy.ts'
import type { CheckContext } from './checked.ts'
import { about, type InputRow } from './row.ts'
import { type Check, invalid, json, momentMs, momentText, Refusal, text, uuid } from './rules.ts'

/** One field of a line. Its check answers COPY's text, or a number. */
export interface Field {
  name: string
  required: boolean
  check: Check<string | number>
  /** What JSON looks like whose value the check answers as it is, the one group of a regular expression; shapes.ts has it in use. */
  asSent?: string
}

/** Absent or null is refused. */
export const required = (name: string, check: Check<string | number>, asSent?: string): Field => ({
  name,
  required: true,
  check,
  asSent,
})
/** Absent or null is stored as null. */
export const optional = (name: string, check: Check<string | number>, asSent?: string): Field => ({
  name,
  required: false,
  check,
  asSent,
})

const NEEDS_A_LOOK = /[\0\\\t\n\r\ud800-\udfff]/

/** The caller's own wording, escaped for COPY. Nearly every text passes by one look, which does what `text` does. */
function copyText(charactersMax: number, ifEmpty?: string): Check<string> {
  const check = text(charactersMax)
  return (value) => {
    const usual = typeof value === 'string' && value.length > 0 && value.length <= charactersMax
    if (usual && !NEEDS_A_LOOK.test(value)) return value
    if (value === '' && ifEmpty !== undefined) return ifEmpty
    const checked = check(value)
    return checked instanceof Refusal ? checked : textField(checked)
  }
}

/** UTF-8 without anything escaped. No text has more characters than bytes. */
const textAsSent = (charactersMax: number) => `"([^"\\\\]{1,${charactersMax}})"`

export const requiredText = (name: string, charactersMax: number): Field =>
  required(name, copyText(charactersMax), textAsSent(charactersMax))

/** An empty text counts as absent. */
export const optionalText = (name: string, charactersMax: number): Field =>
  optional(name, copyText(charactersMax, NULL_FIELD), textAsSent(charactersMax))

export const optionalJson = (name: string, charactersMax: number): Field => {
  const check = json(charactersMax)
  return optional(name, (value) => {
    const checked = check(value)
    return checked instanceof Refusal ? checked : textField(checked)
  })
}

export interface LineRules<Column extends string> {
  /** The order of the line's fields; every table that is written by lines begins with these two. */
  columns: readonly ['id', 'created_at', ...Column[]]
  fields: Record<Column, Field>
  /** The field that tells when; absent means now. */
  timeName: string
  /** The field of an id of the caller's own, where rows may have one. */
  idName?: string
  /** Rows older than the days that are kept are TOO_OLD. */
  keptDaysOnly?: boolean
}

/** The first two fields of a line. */
export interface Head {
  text: string
  /** The caller's own id; null: it was made here. */
  givenId: string | null
  createdAtMs: number
  createdAt: string
}

/** A head whose text goes on to the line's end. */
export type Line = Head

/** Makes the check of a row's time and id. */
export function makeHeadCheck({
  timeName,
  idName = 'id',
  keptDaysOnly = false,
}: LineRules<string>): (time: unknown, id: unknown, context: CheckContext) => Head | Refusal {
  return (time, id, { now, newId }) => {
    const createdAtMs = time === null ? now.nowMs : momentMs(time, now, keptDaysOnly ? now.oldestMs : undefined)
    if (createdAtMs instanceof Refusal) return about(timeName, createdAtMs)
    const givenId = id === null ? null : uuid(id)
    if (givenId instanceof Refusal) return about(idName, givenId)
    const createdAt = time === null ? now.nowText : momentText(time, createdAtMs)
    return { text: `${givenId ?? newId()}\t${createdAt}`, givenId, createdAtMs, createdAt }
  }
}

/** Makes the check of a row: its line, or the first fault met. */
export function makeLineCheck<Column extends string>(
  rules: LineRules<Column>,
): (row: InputRow, context: CheckContext) => Line | Refusal {
  const { timeName, idName } = rules
  const checkHead = makeHeadCheck(rules)
  const [, , ...otherColumns] = rules.columns
  const checkFields = makeFieldsCheck(
    otherColumns.map((column) => rules.fields[column]),
    idName === undefined ? [timeName] : [timeName, idName],
  )

  return (row, context) => {
    const fields = checkFields(row)
    if (fields instanceof Refusal) return fields
    const head = checkHead(row[timeName] ?? null, idName === undefined ? null : (row[idName] ?? null), context)
    if (!(head instanceof Refusal)) head.text += `${fields}\n`
    return head
  }
}

/** Fields as COPY text in the order given, a tab before each. `otherNames` are looked at elsewhere. */
function makeFieldsCheck(fields: readonly Field[], otherNames: readonly string[]): (row: InputRow) => string | Refusal {
  const names = new Set([...otherNames, ...fields.map(({ name }) => name)])
  return (row) => {
    let line = ''
    let known = 0
    for (const name of otherNames) if (row[name] !== undefined) known += 1
    for (const { name, required, check } of fields) {
      const given = row[name]
      if (given !== undefined) known += 1
      if (given === undefined || given === null) {
        if (required) return about(name, invalid('is required'))
        line += `\t${NULL_FIELD}`
        continue
      }
      const checked = check(given)
      if (checked instanceof Refusal) return about(name, checked)
      line += `\t${checked}`
    }
    // Counting costs a third of looking every name up, and tells as much of nearly every row.
    for (const _ in row) known -= 1
    if (known !== 0) for (const name in row) if (!names.has(name)) return unknownField(name)
    return line
  }
}

const unknownField = (name: string): Refusal => {
  const shown = name.length > 60 ? `${name.slice(0, 60)}…` : name
  return new Refusal('INVALID', `${JSON.stringify(shown)} is no field of this row.`, [shown])
}
