// What the rows of a group refer to, read once a group inside its transaction.
import type pg from 'pg'
import { plainArray } from '../copy.ts'

export type Gender = 'M' | 'F'

const USERS = `select id, gender from public.users where id = any($1::uuid[])`

/** Gender by id, of those users that exist. */
export async function readGenders(client: pg.ClientBase, userIds: ReadonlySet<string>): Promise<Map<string, Gender>> {
  if (userIds.size === 0) return new Map()
  const found = await client.query<{ id: string; gender: Gender }>({
    name: 'writer users',
    text: USERS,
    values: [plainArray(userIds)],
  })
  return new Map(found.rows.map((user) => [user.id, user.gender]))
}

const CENTERS = `select id from public.distribution_centers where id = any($1::int[])`

/** Those of the distribution centres that exist. */
export async function readCenterIds(client: pg.ClientBase, ids: ReadonlySet<number>): Promise<Set<number>> {
  if (ids.size === 0) return new Set()
  const found = await client.query<{ id: number }>({ name: 'writer centers', text: CENTERS, values: [plainArray(ids)] })
  return new Set(found.rows.map((center) => center.id))
}
