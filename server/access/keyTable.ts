// The table of keys: the statements that make, list, revoke and forget them.
import type pg from 'pg'
import { LookoutError } from '../errors.ts'
import type { Role } from './callers.ts'
import { makeToken } from './token.ts'

export interface ApiKey {
  id: string
  name: string
  role: Role
  hash: Buffer
  createdAt: Date
  expiresAt: Date | null
  revokedAt: Date | null
}

type Queryable = Pick<pg.Pool | pg.Client, 'query'>

/** They are all held in memory by every server, and read anew every other second. */
const KEYS_MAX = 10_000

const readAll = `
  select id, name, role, hash, created_at as "createdAt", expires_at as "expiresAt", revoked_at as "revokedAt"
    from public.api_keys order by created_at, id`

const insert = `
  insert into public.api_keys (id, name, role, hash, expires_at)
  select $1, $2, $3, $4, $5 where (select count(*) from public.api_keys) < $6`

const revoke = `update public.api_keys set revoked_at = coalesce(revoked_at, now()) where id = $1 returning name`

const forget = `delete from public.api_keys where revoked_at is not null or expires_at <= now()`

export const isGood = ({ revokedAt, expiresAt }: ApiKey, nowMs: number): boolean =>
  revokedAt === null && (expiresAt === null || expiresAt.getTime() > nowMs)

/** All that were ever made and not forgotten, oldest first. */
export async function readKeys(database: Queryable): Promise<ApiKey[]> {
  return (await database.query<ApiKey>(readAll)).rows
}

/** Makes one; its token is known to whoever is told now, and to nobody later. */
export async function createKey(
  database: Queryable,
  { name, role, expiresAt = null }: { name: string; role: Role; expiresAt?: Date | null },
): Promise<{ id: string; token: string }> {
  const { id, hash, token } = makeToken()
  const { rowCount } = await database.query(insert, [id, name, role, hash, expiresAt, KEYS_MAX])
  if (rowCount === 0) {
    throw new LookoutError(
      'OVERLOADED',
      `There are ${KEYS_MAX} keys, and no more may be: forget those that have ended.`,
    )
  }
  return { id, token }
}

/** The name of the key that has ended now, if there is one. Revoking twice changes nothing. */
export async function revokeKey(database: Queryable, id: string): Promise<string | undefined> {
  return (await database.query<{ name: string }>(revoke, [id])).rows[0]?.name
}

/** Takes revoked and expired keys off the list; how many. */
export async function forgetKeys(database: Queryable): Promise<number> {
  return (await database.query(forget)).rowCount ?? 0
}
