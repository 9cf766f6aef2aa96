// Lines straight from the text of rows. One regular expression has the fields of a row in the order in which its sender
// writes them, each in the form in which it is stored: one look checks a row and takes it apart. A row that is anything
// else is left to the check of its fields one by one, which is several times the work and says what is wrong.
import { OBJECT } from '../json/grammar.ts'
import type { JsonRows } from '../json/rows.ts'
import { NULL_FIELD } from '../writer/copy.ts'
import type { CheckContext } from './checked.ts'
import { type Field, type Line, type LineRules, makeHeadCheck } from './line.ts'
import type { InputRow } from './row.ts'
import { Refusal } from './rules.ts'

/** The text whose bytes these are, and back. */
const textOfBytes = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8')
const bytesOfText = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')

/** So many orders of fields are known at a time. */
const SHAPES_MAX = 8
/** What a time and an id look like; their checks follow. */
const HEAD_FIELD = '"([^"\\\\]{1,64})"'

interface Shape {
  order: string
  /** Finds each field that is there, as a group; it ends where it meets anything else. */
  fields: RegExp
  /** The groups of the time, of the id, and of each other column. */
  groups: number[]
}

export interface Shapes {
  /** A row's line, its text as bytes; null where it is to be checked field by field. */
  read(rows: JsonRows, index: number, context: CheckContext): Line | null
  /** Learns the order of a row's fields. */
  learn(row: InputRow): void
}

export function makeShapes<Column extends string>(rules: LineRules<Column>): Shapes {
  const { timeName, idName, columns } = rules
  const [, , ...otherColumns] = columns
  const fields: Field[] = otherColumns.map((column) => rules.fields[column])
  const checkHead = makeHeadCheck(rules)
  const forms = new Map([
    [timeName, HEAD_FIELD],
    ...(idName === undefined ? [] : [[idName, HEAD_FIELD] as const]),
    ...fields.map(({ name, asSent }) => [name, asSent ?? `(${OBJECT})`] as const),
  ])
  const shapes: Shape[] = []

  function makeShape(names: readonly string[]): Shape {
    const source = names.map((name) => `(?:"${name}"\\s*:\\s*(?:null|${forms.get(name)})\\s*[,}]\\s*)?`)
    const groupOf = (name: string | undefined) => (name === undefined ? names.length + 1 : names.indexOf(name) + 1)
    return {
      order: names.join(),
      fields: new RegExp(`^\\s*\\{\\s*${source.join('')}`),
      groups: [timeName, idName, ...fields.map(({ name }) => name)].map(groupOf),
    }
  }

  function lineOf(found: RegExpExecArray, groups: readonly number[], context: CheckContext): Line | null {
    const head = checkHead(found[groups[0]!] ?? null, found[groups[1]!] ?? null, context)
    if (head instanceof Refusal) return null
    let text = head.text
    for (let at = 0; at < fields.length; at++) {
      const { required, asSent, check } = fields[at]!
      const given = found[groups[at + 2]!]
      if (given === undefined) {
        if (required) return null
        text += `\t${NULL_FIELD}`
      } else if (asSent !== undefined) text += `\t${given}`
      else {
        const checked = check(JSON.parse(textOfBytes(given)))
        if (checked instanceof Refusal) return null
        text += `\t${bytesOfText(String(checked))}`
      }
    }
    head.text = `${text}\n`
    return head
  }

  return {
    read(rows, index, context) {
      const text = rows.byteText(index)
      for (let at = 0; at < shapes.length; at++) {
        const shape = shapes[at]!
        const found = shape.fields.exec(text)
        if (found?.[0].length !== text.length) continue
        // The next row is likely to be like this one.
        if (at > 0) shapes.unshift(...shapes.splice(at, 1))
        return lineOf(found, shape.groups, context)
      }
      return null
    },
    learn(row) {
      const names = Object.keys(row)
      if (!names.every((name) => forms.has(name))) return
      const order = [...new Set([...names, ...forms.keys()])]
      if (shapes.some((shape) => shape.order === order.join())) return
      shapes.unshift(makeShape(order))
      shapes.length = Math.min(shapes.length, SHAPES_MAX)
    },
  }
}
