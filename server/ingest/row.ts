// A row's fields, as data: which there are, what each is held to, and how they become a line for COPY.
import { NULL_FIELD, textField } from '../writer/copy.ts'
import { type Check, invalid, json, Refusal, text } from './rules.ts'

/** A row as it came: from GraphQL's coercion, or straight from JSON. */
export type InputRow = Readonly<Record<string, unknown>>

/** One field of a line. Its check answers COPY's text, or a number. */
export interface Field {
  name: string
  required: boolean
  check: Check<string | number>
}

/** Absent or null is refused. */
export const required = (name: string, check: Check<string | number>): Field => ({ name, required: true, check })
/** Absent or null is stored as null. */
export const optional = (name: string, check: Check<string | number>): Field => ({ name, required: false, check })

const NEEDS_A_LOOK = /[\0\\\t\n\r\ud800-\udfff]/

/** The caller's own wording, escaped for COPY. Nearly every text passes by one look, which does what `text` does. */
function copyText(charactersMax: number): Check<string> {
  const check = text(charactersMax)
  return (value) => {
    const usual = typeof value === 'string' && value.length > 0 && value.length <= charactersMax
    if (usual && !NEEDS_A_LOOK.test(value)) return value
    const checked = check(value)
    return checked instanceof Refusal ? checked : textField(checked)
  }
}

export const requiredText = (name: string, charactersMax: number): Field => required(name, copyText(charactersMax))

/** An empty text counts as absent. */
export const optionalText = (name: string, charactersMax: number): Field => {
  const check = copyText(charactersMax)
  return optional(name, (value) => (value === '' ? NULL_FIELD : check(value)))
}

export const optionalJson = (name: string, charactersMax: number): Field => {
  const check = json(charactersMax)
  return optional(name, (value) => {
    const checked = check(value)
    return checked instanceof Refusal ? checked : textField(checked)
  })
}

/** The refusal of one field, said about the row. */
export const about = (name: string, { code, message, path }: Refusal): Refusal =>
  new Refusal(code, `${[name, ...path].join('.')} ${message}.`, [name, ...path])

/**
 * Makes the check of a row's fields: their COPY text in the order given, a tab before each, or the first fault met.
 * `otherNames` are fields that the caller of the check looks at itself.
 */
export function makeLineCheck(fields: readonly Field[], otherNames: readonly string[]): Check<string> {
  const names = new Set([...otherNames, ...fields.map(({ name }) => name)])
  return (value) => {
    const row = value as InputRow
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

/** Takes fields off a row one after another, for rows that are no single line. Throws the first refusal. */
export class FieldReader {
  readonly #row: InputRow
  readonly #path: string[]

  constructor(row: InputRow, path: string[] = []) {
    this.#row = row
    this.#path = path
  }

  required<T>(name: string, check: Check<T>): T {
    const value = this.#row[name]
    const checked = value === undefined || value === null ? invalid('is required') : check(value)
    if (!(checked instanceof Refusal)) return checked
    const { code, message, path } = about(name, checked)
    throw new Refusal(code, message, [...this.#path, ...path])
  }

  optional<T>(name: string, check: Check<T>): T | null {
    const value = this.#row[name]
    return value === undefined || value === null ? null : this.required(name, check)
  }
}
