// JSON's grammar as regular expressions, as strict as JSON.parse. Recursion ends at a few levels: what is nested deeper
// does not match.

export const SPACE = '[ \\t\\n\\r]*'
const PLAIN = '[^"\\\\\\x00-\\x1f]*'
export const TEXT = `"${PLAIN}(?:\\\\(?:["\\\\/bfnrt]|u[0-9a-fA-F]{4})${PLAIN})*"`
const NUMBER = '-?(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?(?:[eE][+-]?[0-9]+)?'
const SCALAR = `${TEXT}|${NUMBER}|true|false|null`

const listOf = (open: string, item: string, close: string) =>
  `\\${open}${SPACE}(?:${item}${SPACE}(?:,${SPACE}(?!\\${close})|(?=\\${close})))*\\${close}`

const objectOf = (value: string) => listOf('{', `${TEXT}${SPACE}:${SPACE}(?:${value})`, '}')

/** A value with so many levels below it. */
const valueOf = (levels: number): string =>
  levels === 0 ? SCALAR : `${SCALAR}|${objectOf(valueOf(levels - 1))}|${listOf('[', `(?:${valueOf(levels - 1)})`, ']')}`

const LEVELS = 4

/** Any value that a row of this depth may have in it. */
export const VALUE = valueOf(LEVELS)
/** An object. */
export const OBJECT = objectOf(valueOf(LEVELS - 1))
/** An object with the space around it. */
export const ROW = `${SPACE}${objectOf(VALUE)}${SPACE}`
