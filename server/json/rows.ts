// JSON whose rows stay text: of a large array of objects, each becomes an object only when somebody looks at it, and is gone
// before the next. Objects that are made together live together, and collecting them costs more than making them.
import { isUtf8 } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import { ROW } from './grammar.ts'

export type JsonRow = Readonly<Record<string, unknown>>
type ReadRow = (row: JsonRow) => JsonRow

const RELEASED = Buffer.alloc(0)

/** An array of objects, still bytes. GraphQL's lists take any iterable. */
export class JsonRows implements Iterable<JsonRow> {
  readonly #text: { bytes: Buffer; places: readonly number[] }
  readonly #read: ReadRow
  readonly length: number

  /** `bytes`: UTF-8; `places`: where each row starts and, behind it, where it ends. */
  constructor(text: { bytes: Buffer; places: readonly number[] }, read: ReadRow = (row) => row) {
    this.#text = text
    this.#read = read
    this.length = text.places.length / 2
  }

  /** The same rows, each what `read` makes of it when somebody looks at it. */
  as(read: ReadRow): JsonRows {
    return new JsonRows(this.#text, read)
  }

  /** Lets the text go, whoever still holds these rows: nobody may look at them any more. */
  release(): void {
    this.#text.bytes = RELEASED
    this.#text.places = []
  }

  #textOf(index: number, encoding: 'latin1' | 'utf8'): string {
    const { bytes, places } = this.#text
    if (bytes === RELEASED) throw new Error('the text of these rows was let go')
    return bytes.toString(encoding, places[index * 2], places[index * 2 + 1])
  }

  /** The text of a row, in which each character stands for a byte: pieces of it are stored without being decoded. */
  byteText(index: number): string {
    return this.#textOf(index, 'latin1')
  }

  row(index: number): JsonRow {
    return this.#read(JSON.parse(this.#textOf(index, 'utf8')) as JsonRow)
  }

  *keys(): Generator<number> {
    for (let index = 0; index < this.length; index++) yield index
  }

  *[Symbol.iterator](): Iterator<JsonRow> {
    for (let index = 0; index < this.length; index++) yield this.row(index)
  }

  toJSON(): JsonRow[] {
    return [...this]
  }
}

/** The value itself, for those who expect an array of JSON's own. */
export const plainJson = (value: unknown): unknown => (value instanceof JsonRows ? value.toJSON() : value)

/** Stands in the text for the rows that were taken out of it. */
const STAND_IN = randomUUID()
/** A name in front of an array of objects, looked for in so many bytes behind "variables". */
const NAMED_ROWS = /"([A-Za-z_]\w*)"\s*:\s*\[\s*\{/
const NAME_BYTES_MAX = 4096

/**
 * What JSON.parse makes of a request, but that a variable which is an array of objects comes as JsonRows. Where it is is
 * guessed, and what does not fit is left to JSON.parse: the errors are its own.
 */
export const parseRequest = (body: Buffer): unknown => parseAroundRows(body) ?? JSON.parse(body.toString('utf8'))

function parseAroundRows(body: Buffer): object | undefined {
  const from = body.indexOf('"variables"')
  if (from < 0) return undefined
  const head = body.toString('latin1', from, from + NAME_BYTES_MAX)
  const named = NAMED_ROWS.exec(head)
  if (!named || !isUtf8(body)) return undefined
  const start = from + head.indexOf('[', named.index)
  const places: number[] = []
  const end = placesOfRows(body, start + 1, places)
  if (end === undefined) return undefined
  try {
    const around = `${body.toString('utf8', 0, start)}"${STAND_IN}"${body.toString('utf8', end)}`
    const request = JSON.parse(around) as { variables?: Record<string, unknown> }
    const name = named[1]!
    if (request.variables?.[name] !== STAND_IN) return undefined
    request.variables[name] = new JsonRows({ bytes: body, places })
    return request
  } catch {
    return undefined
  }
}

/** So many bytes are text at a time: longer texts would not be collected with the young ones. */
const CHUNK_BYTES = 32 * 1024

/** Finds where rows start and end; answers the place behind their array, or undefined where anything else is in it. */
function placesOfRows(body: Buffer, start: number, places: number[]): number | undefined {
  const row = new RegExp(ROW, 'y')
  for (;;) {
    const chunk = body.toString('latin1', start, start + CHUNK_BYTES)
    row.lastIndex = 0
    let at = 0
    // A row that reaches the end of its chunk is looked for once more, in the next.
    while (row.test(chunk) && row.lastIndex < chunk.length) {
      const end = row.lastIndex
      places.push(start + at, start + end)
      if (chunk[end] === ']') return start + end + 1
      if (chunk[end] !== ',') return undefined
      at = row.lastIndex = end + 1
    }
    if (at === 0) return undefined
    start += at
  }
}
