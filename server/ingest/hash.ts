// A hash of a call's rows as sent: a repeat under the same idempotency key must carry the same rows.
import { createHash } from 'node:crypto'

/** Nesting beyond this is refused by every check; here it ends the walk. */
const DEPTH_MAX = 64

/** JSON with the keys of objects in order: the same rows have the same text, however they were written down. */
export function canonicalJson(value: unknown, depth = 0): string {
  if (value instanceof Date || typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (depth === DEPTH_MAX) return '"…"'
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item, depth + 1)).join(',')}]`
  const fields = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, item]) => `${JSON.stringify(name)}:${canonicalJson(item, depth + 1)}`)
  return `{${fields.join(',')}}`
}

export const hashRows = (rows: unknown): string => createHash('sha256').update(canonicalJson(rows)).digest('base64')
