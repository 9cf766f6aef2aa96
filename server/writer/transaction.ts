// One group, one transaction: claim the keys, write the tables, keep the answers, commit.
import type pg from 'pg'
import { LookoutError } from '../errors.ts'
import type { Call, IngestResult, TableFamily } from './call.ts'
import { claimKeys, storeAnswers } from './idempotency.ts'
import { beginMarked, type Mark } from './mark.ts'
import { type Parts, writeTables } from './tables/tables.ts'

/** A call's answer; `repeated`: it was given before, and nothing was written for it now. */
export interface Answer {
  result: IngestResult
  repeated: boolean
}

/** The answer to each call of a group, in their order. */
export type Answers = (Answer | LookoutError)[]

/** The connection broke while the commit was under way: the mark tells what became of it. */
export class CommitInDoubt extends Error {
  override readonly name = 'CommitInDoubt'
  readonly mark: Mark
  readonly answers: Answers

  constructor(mark: Mark, answers: Answers, cause: unknown) {
    super('the connection broke during a commit', { cause })
    this.mark = mark
    this.answers = answers
  }
}

/** Writes the calls of a group, all or nothing. Throws PostgreSQL's errors as they are, the transaction rolled back. */
export async function writeGroup(client: pg.ClientBase, calls: readonly Call[]): Promise<Answers> {
  const mark = await beginMarked(client)
  let answers: Answers
  try {
    answers = await writeCalls(client, calls)
  } catch (error) {
    // Where this fails the connection is gone, and the transaction with it: the first error says more.
    await client.query('rollback').catch(() => undefined)
    throw error
  }
  try {
    await client.query('commit')
  } catch (error) {
    throw new CommitInDoubt(mark, answers, error)
  }
  return answers
}

async function writeCalls(client: pg.ClientBase, calls: readonly Call[]): Promise<Answers> {
  const { answered, sameAs } = await claimKeys(client, calls)
  const results = new Map<Call, IngestResult>()
  const parts: Parts = {}
  for (const call of calls) {
    if (answered.has(call) || sameAs.has(call)) continue
    const result: IngestResult = { accepted: 0, duplicates: 0, rejected: [...call.rejected] }
    results.set(call, result)
    addPart(parts, call.table, { rows: call.rows, result })
  }
  await writeTables(client, parts)
  for (const { rejected } of results.values()) rejected.sort((a, b) => a.index - b.index)
  await storeAnswers(
    client,
    [...results].flatMap(([call, result]) => (call.idempotency ? [{ claim: call.idempotency, result }] : [])),
  )
  return calls.map((call) => {
    const known = answered.get(call)
    if (known instanceof LookoutError) return known
    const result = known ?? results.get(sameAs.get(call) ?? call)
    if (!result) throw new Error('a call of the group was left without an answer')
    return { result, repeated: !results.has(call) }
  })
}

function addPart(parts: Parts, table: TableFamily, part: { rows: unknown; result: IngestResult }): void {
  // The compiler cannot follow that a call's rows are of its own table.
  const ofTable = (parts[table] ??= []) as { rows: unknown; result: IngestResult }[]
  ofTable.push(part)
}
