// Users: COPY, once it is known which given ids exist. A race for the same id ends in 23505, and the group is tried again.
import type pg from 'pg'
import type { Part } from '../call.ts'
import { copyLines, copyStatement } from '../copy.ts'
import { readGenders } from './references.ts'

/** The order of a line's fields: the check writes lines in it. */
export const USER_COLUMNS = [
  'id',
  'created_at',
  'first_name',
  'last_name',
  'email',
  'age',
  'gender',
  'street_address',
  'city',
  'state',
  'postal_code',
  'country',
  'latitude',
  'longitude',
  'traffic_source',
] as const

const COPY_USERS = copyStatement('users', USER_COLUMNS)

export interface UserRows {
  lines: string[]
  /** Of each line, where the caller gave it. */
  givenIds: (string | null)[]
}

export async function writeUsers(client: pg.ClientBase, parts: readonly Part<UserRows>[]): Promise<void> {
  const given = new Set(parts.flatMap(({ rows }) => rows.givenIds.filter((id) => id !== null)))
  const taken = new Set((await readGenders(client, given)).keys())
  const fresh: string[] = []
  for (const { rows, result } of parts) {
    rows.lines.forEach((line, index) => {
      const id = rows.givenIds[index] ?? null
      if (id !== null && taken.has(id)) {
        result.duplicates += 1
        return
      }
      if (id !== null) taken.add(id)
      fresh.push(line)
      result.accepted += 1
    })
  }
  await copyLines(client, COPY_USERS, fresh)
}
