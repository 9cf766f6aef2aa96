// A row as it came, and how its fields are taken off it.
import type { JsonRows } from '../json/rows.ts'
import { type Check, invalid, Refusal } from './rules.ts'

/** From GraphQL's coercion, or straight from JSON. */
export type InputRow = Readonly<Record<string, unknown>>

/** Of a call. Rows that are text still are parsed one by one. */
export type Rows = readonly InputRow[] | JsonRows

/** The refusal of one field, said about the row. */
export const about = (name: string, { code, message, path }: Refusal): Refusal =>
  new Refusal(code, `${[name, ...path].join('.')} ${message}.`, [name, ...path])

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
