// A hash of a call's rows as sent: a repeat under the same idempotency key must carry the same rows, in any order of fields.
import { createHash } from 'node:crypto'
import type { InputRow, Rows } from './row.ts'

/** Nesting beyond this is refused by every check; here it ends the walk. */
const DEPTH_MAX = 64
/** More names than any input type has: such rows are put in order one by one. */
const COMMON_NAMES_MAX = 64

/** JSON with the keys of objects in order. */
function canonicalJson(value: unknown, depth = 0): string {
  if (value instanceof Date || typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (depth === DEPTH_MAX) return '"…"'
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item, depth + 1)).join(',')}]`
  const fields = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, item]) => `${JSON.stringify(name)}:${canonicalJson(item, depth + 1)}`)
  return `{${fields.join(',')}}`
}

/** A plain value as it is, anything with keys in canonical form and wrapped, so that no text can pass for it. */
const comparable = (value: unknown): unknown =>
  typeof value !== 'object' || value === null || value instanceof Date ? value : [canonicalJson(value)]

/** Absent and null count as the same. */
export function canonicalRows(rows: readonly InputRow[]): string {
  const names = new Set<string>()
  for (const row of rows) {
    for (const name in row) if ((row[name] ?? null) !== null) names.add(name)
    if (names.size > COMMON_NAMES_MAX) return canonicalJson(rows)
  }
  // The names are put in order once for all rows: several times faster than row by row.
  const ordered = [...names].sort()
  return JSON.stringify([ordered, rows.map((row) => ordered.map((name) => comparable(row[name])))])
}

export const hashRows = (rows: Rows): string =>
  createHash('sha256')
    .update(canonicalRows([...rows]))
    .digest('base64')
