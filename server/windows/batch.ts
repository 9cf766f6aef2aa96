// Statements of several windows in one transaction, as few as can be: what is the same is run once, and what differs in its
// parameters alone is one statement over all of them. Statements that are asked for in one turn of the event loop go together.
import type { ClientBase } from 'pg'

interface Statement {
  text: string
  values: unknown[]
}

interface Waiting extends Statement {
  resolve(rows: unknown[][]): void
  reject(error: unknown): void
}

type Query = Statement & { name?: string; rowMode?: string }

/** Statements put together at most. */
const TOGETHER_MAX = 500

/** `client` as the windows of one transaction are given it. `nameOf`: of statements that the connection keeps the plan of. */
export function makeBatch(client: ClientBase, nameOf: (text: string) => string | undefined): ClientBase {
  const known = new Map<string, Promise<unknown>>()
  let waiting: Waiting[] = []
  let last: Promise<unknown> = Promise.resolve()

  /** A connection takes one statement at a time. */
  function inTurn<Answer>(run: () => Promise<Answer>): Promise<Answer> {
    const answer = last.then(run)
    last = answer.catch(() => undefined)
    return answer
  }

  function flush(): void {
    const byText = new Map<string, Waiting[]>()
    for (const each of waiting) {
      const alike = byText.get(each.text)
      if (alike) alike.push(each)
      else byText.set(each.text, [each])
    }
    waiting = []
    for (const [text, all] of byText) {
      for (let from = 0; from < all.length; from += TOGETHER_MAX)
        void runTogether(text, all.slice(from, from + TOGETHER_MAX))
    }
  }

  async function runTogether(text: string, all: Waiting[]): Promise<void> {
    try {
      const answers = all.length === 1 ? [await runAlone(all[0]!)] : await runAll(text, all)
      for (const [index, { resolve }] of all.entries()) resolve(answers[index]!)
    } catch (error) {
      for (const { reject } of all) reject(error)
    }
  }

  async function runAlone({ text, values }: Statement): Promise<unknown[][]> {
    const query = { name: nameOf(text), text, values, rowMode: 'array' as const }
    return (await inTurn(() => client.query<unknown[]>(query))).rows
  }

  async function runAll(text: string, all: Waiting[]): Promise<unknown[][][]> {
    const count = all[0]!.values.length
    const columns = Array.from({ length: count }, (_, place) => all.map(({ values }) => textOf(values[place])))
    const names = columns.map((_, place) => `p${place + 1}`)
    const given = columns.map((_, place) => `$${place + 1}::text[]`)
    const inner = text.replace(/\$(\d+)(::\w+(?:\[\])?)?/g, (_, place: string, cast?: string) => {
      return `of.p${place}${cast ?? castOf(all[0]!.values[Number(place) - 1])}`
    })
    const together = `
      select of.n, each.*
      from unnest(${given.join(', ')}) with ordinality as of (${names.join(', ')}, n)
      cross join lateral (${inner}) as each`
    const query = { name: nameOf(together), text: together, values: columns, rowMode: 'array' as const }
    const { rows } = await inTurn(() => client.query<[string, ...unknown[]]>(query))
    const answers = all.map((): unknown[][] => [])
    for (const [n, ...row] of rows) answers[Number(n) - 1]!.push(row)
    return answers
  }

  function ask({ text, values }: Statement): Promise<{ rows: unknown[][] }> {
    return new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(flush)
      waiting.push({ text, values, resolve: (rows) => resolve({ rows }), reject })
    })
  }

  function query(given: Query | string, values: unknown[] = []): Promise<unknown> {
    const statement: Query = typeof given === 'string' ? { text: given, values } : given
    const key = JSON.stringify([statement.text, statement.values])
    const before = known.get(key)
    if (before) return before
    const answer = statement.rowMode === 'array' ? ask(statement) : inTurn(() => client.query({ ...statement }))
    known.set(key, answer)
    return answer
  }

  return { query } as unknown as ClientBase
}

/** PostgreSQL's text of a parameter. */
function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return `{${value.map((each) => `"${String(each).replace(/["\\]/g, '\\$&')}"`).join(',')}}`
  return String(value)
}

/** Of a parameter that its statement does not cast itself. */
function castOf(value: unknown): string {
  if (value instanceof Date) return '::timestamptz'
  return Array.isArray(value) ? '::text[]' : ''
}
