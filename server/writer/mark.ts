// The mark that each group leaves in its own transaction: after a connection that broke during the commit, the database is
// asked whether it is there. The transaction's number would not do: one that a crash of PostgreSQL took along is given out
// again, and what it tells then is of another transaction.
import { randomUUID } from 'node:crypto'
import type pg from 'pg'

export interface Mark {
  /** The connection's process in PostgreSQL. */
  backend: string
  id: string
}

// One row a connection, beside the keys of callers and forgotten like them; it stays young while it is used.
const leave = (id: string) => `
  insert into public.idempotency_keys as held (field, caller, key, request_hash, response)
  values ('writer', '', pg_backend_pid(), '${id}', 'null')
  on conflict (field, caller, key) do update set
    request_hash = excluded.request_hash,
    created_at = case when held.created_at < now() - interval '1 hour' then now() else held.created_at end
  returning key as backend`

// Written rather than read: so it waits where the connection's last transaction has not quite ended.
const ask = ({ backend }: Mark, withinMs: number) => `
  set local statement_timeout = ${Math.ceil(withinMs)};
  insert into public.idempotency_keys as held (field, caller, key, request_hash, response)
  values ('writer', '', '${Number(backend)}', '', 'null')
  on conflict (field, caller, key) do update set request_hash = held.request_hash
  returning request_hash as id`

/** Begins a transaction that leaves a mark. */
export async function beginMarked(client: pg.ClientBase): Promise<Mark> {
  const id = randomUUID()
  // Two statements in one message: pg answers with a result for each.
  const results = (await client.query(`begin; ${leave(id)}`)) as unknown as [
    unknown,
    pg.QueryResult<{ backend: string }>,
  ]
  return { backend: (results[1].rows[0] as { backend: string }).backend, id }
}

/** Was the transaction of this mark committed? To be asked on another connection. Throws where it is not known in time. */
export async function wasCommitted(client: pg.ClientBase, mark: Mark, withinMs: number): Promise<boolean> {
  // One message is one transaction.
  const results = (await client.query(ask(mark, withinMs))) as unknown as [unknown, pg.QueryResult<{ id: string }>]
  return results[1].rows[0]?.id === mark.id
}
