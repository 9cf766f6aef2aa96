// The scalars of the wire: what they accept, what they answer, and a sentence that helps where they refuse.
import { type ASTNode, GraphQLError, Kind, print, type ValueNode, valueFromASTUntyped } from 'graphql'
import { plainJson } from '../json/rows.ts'
import { durationText, readDecimal, readDuration, readRfc3339 } from './values.ts'

interface ScalarConfig<Input, Output> {
  description: string
  serialize: (value: Output) => unknown
  parseValue: (value: unknown) => Input
  parseLiteral: (node: ValueNode, variables?: Record<string, unknown> | null) => Input
  specifiedByURL?: string
}

/** Anything with an exact decimal text: Prisma's Decimal among others. */
export interface DecimalLike {
  toFixed(): string
}

const refuse = (message: string, nodes?: ASTNode): never => {
  throw new GraphQLError(message, { nodes, extensions: { code: 'BAD_REQUEST' } })
}

const asked = <T>(read: () => T, nodes?: ASTNode): T => {
  try {
    return read()
  } catch (error) {
    return refuse((error as Error).message, nodes)
  }
}

/** A scalar written as a string, in variables and in literals. */
const stringScalar = <Input>(name: string, read: (text: string) => Input) => ({
  parseValue: (value: unknown): Input =>
    typeof value === 'string' ? asked(() => read(value)) : refuse(`${name} must be a string; got ${typeof value}.`),
  parseLiteral: (node: ValueNode): Input =>
    node.kind === Kind.STRING
      ? asked(() => read(node.value), node)
      : refuse(`${name} must be a string; got ${print(node)}.`, node),
})

export const dateTime: ScalarConfig<Date, Date | string> = {
  description: 'A moment, as RFC 3339 says it: "2026-11-21T14:02:10.250Z". Answers are in UTC, to the millisecond.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339',
  serialize: (value) => (value instanceof Date ? value.toISOString() : readRfc3339(value).toISOString()),
  ...stringScalar('DateTime', readRfc3339),
}

export const duration: ScalarConfig<number, number> = {
  description:
    'A span of time, as ISO 8601 says it, of fixed length: "PT0.5S", "PT5M", "PT1H30M", "P1D". No months, no years.',
  specifiedByURL: 'https://www.iso.org/iso-8601-date-and-time-format.html',
  serialize: durationText,
  ...stringScalar('Duration', readDuration),
}

export const decimal: ScalarConfig<string, DecimalLike | string | number> = {
  description: 'An exact decimal number: "19.99". Sent as a string; taken as a string or a number.',
  serialize: (value) => (typeof value === 'object' ? value.toFixed() : readDecimal(String(value))),
  parseValue: (value) =>
    typeof value === 'string' || typeof value === 'number'
      ? asked(() => readDecimal(String(value)))
      : refuse(`Decimal must be a string or a number; got ${value === null ? 'null' : typeof value}.`),
  parseLiteral: (node) =>
    node.kind === Kind.STRING || node.kind === Kind.INT || node.kind === Kind.FLOAT
      ? asked(() => readDecimal(node.value), node)
      : refuse(`Decimal must be a string or a number; got ${print(node)}.`, node),
}

const anyValue = {
  serialize: (value: unknown) => value,
  parseValue: plainJson,
  parseLiteral: (node: ValueNode, variables?: Record<string, unknown> | null) => {
    const given = Object.entries(variables ?? {}).map(([name, value]) => [name, plainJson(value)])
    return valueFromASTUntyped(node, Object.fromEntries(given) as Record<string, unknown>)
  },
}

export const json: ScalarConfig<unknown, unknown> = { description: 'Any JSON value.', ...anyValue }

/** Passes its value on untouched: the ingest room checks it with one compiled validator. */
export const eventBatch: ScalarConfig<unknown, unknown> = {
  description:
    'The rows of trackEvents as one JSON value (an array of EventInput-shaped objects), checked by one compiled validator\n' +
    'instead of field by field; same rules, same answers.',
  ...anyValue,
  parseValue: (value) => value,
}

export const cursor: ScalarConfig<string, string> = {
  description: 'A place in a stream, opaque: hand it back as `after` to go on from there.',
  serialize: (value) => value,
  ...stringScalar('Cursor', (text) => text),
}
