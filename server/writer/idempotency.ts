// Idempotency keys: claimed, and answered, in the transaction that writes the rows. Whoever comes second waits for the first.
import type pg from 'pg'
import { LookoutError } from '../errors.ts'
import type { Call, IdempotencyClaim, IngestResult } from './call.ts'

/** How long a key is remembered. */
export const IDEMPOTENCY_KEY_HOURS = 24

// Sorted, so that two transactions with the same keys wait for each other instead of dead-locking.
// A key past its time is taken over as if it had never been.
const CLAIM = `
  insert into public.idempotency_keys (field, caller, key, request_hash, response)
  select field, caller, key, "requestHash", 'null'
  from json_to_recordset($1::json) as claim (field text, caller text, key text, "requestHash" text)
  order by field, caller, key
  on conflict (field, caller, key) do update set
    request_hash = excluded.request_hash, response = excluded.response, created_at = excluded.created_at
  where idempotency_keys.created_at < now() - make_interval(hours => $2::int)
  returning field, caller, key`

const READ = `
  select held.field, held.caller, held.key, held.request_hash as "requestHash", held.response
  from public.idempotency_keys as held
  join json_to_recordset($1::json) as claim (field text, caller text, key text) using (field, caller, key)`

const STORE = `
  update public.idempotency_keys as held set response = claim.response
  from json_to_recordset($1::json) as claim (field text, caller text, key text, response jsonb)
  where (held.field, held.caller, held.key) = (claim.field, claim.caller, claim.key)`

type Name = Pick<IdempotencyClaim, 'field' | 'caller' | 'key'>
type Memory = IdempotencyClaim & { response: IngestResult }

const nameOf = ({ field, caller, key }: Name): string => JSON.stringify([field, caller, key])

const reused = (): LookoutError =>
  new LookoutError('IDEMPOTENCY_KEY_REUSED', 'This idempotencyKey was used for other rows; nothing was written.')

/** What becomes of the calls of a group: a call is written, answered from memory, or shares the answer of another. */
export interface Claims {
  /** Answers known before anything is written. */
  answered: Map<Call, IngestResult | LookoutError>
  /** Calls that repeat another call of the same group. */
  sameAs: Map<Call, Call>
}

/** Claims the keys of a group's calls. Waits for transactions that hold one of them. */
export async function claimKeys(client: pg.ClientBase, calls: readonly Call[]): Promise<Claims> {
  const claims: Claims = { answered: new Map(), sameAs: new Map() }
  const keyed = calls.flatMap((call) => (call.idempotency ? [{ call, claim: call.idempotency }] : []))
  if (keyed.length === 0) return claims
  const firsts = new Map<string, IdempotencyClaim>()
  const writers = new Map<string, Call>()
  for (const { call, claim } of keyed) {
    const name = nameOf(claim)
    if (firsts.has(name)) continue
    firsts.set(name, claim)
    writers.set(name, call)
  }
  const wanted = JSON.stringify([...firsts.values()])
  const won = new Set((await client.query<Name>(CLAIM, [wanted, IDEMPOTENCY_KEY_HOURS])).rows.map(nameOf))
  const held = won.size < firsts.size ? (await client.query<Memory>(READ, [wanted])).rows : []
  const memories = new Map(held.map((memory) => [nameOf(memory), memory]))
  for (const { call, claim } of keyed) {
    const name = nameOf(claim)
    const writer = writers.get(name) as Call
    if (!won.has(name)) {
      const memory = memories.get(name)
      claims.answered.set(call, memory?.requestHash === claim.requestHash ? memory.response : reused())
    } else if (writer !== call) {
      if (writer.idempotency?.requestHash === claim.requestHash) claims.sameAs.set(call, writer)
      else claims.answered.set(call, reused())
    }
  }
  return claims
}

/** Keeps the answers of the calls that were written, for their repeats. */
export async function storeAnswers(
  client: pg.ClientBase,
  answers: readonly { claim: IdempotencyClaim; result: IngestResult }[],
): Promise<void> {
  if (answers.length === 0) return
  const rows = answers.map(({ claim: { field, caller, key }, result }) => ({ field, caller, key, response: result }))
  await client.query(STORE, [JSON.stringify(rows)])
}
