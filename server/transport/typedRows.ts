// Rows of trackEvents that GraphQL need not take in its hand. Its coercion takes each field of each row, and costs more than all
// else; yet of nearly every row it can be seen in its text that coercion would take it. Where that is so of all rows of a call,
// the variable they come by is passed through as the batch of ingestEvents is, still text. Any other call goes GraphQL's own
// way, which alone says what is wrong.
import {
  type DocumentNode,
  type GraphQLInputField,
  type GraphQLInputObjectType,
  type GraphQLLeafType,
  type GraphQLSchema,
  isRequiredInputField,
  Kind,
  print,
  type VariableDefinitionNode,
} from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { SPACE, TEXT, VALUE } from '../json/grammar.ts'
import { type JsonRow, JsonRows } from '../json/rows.ts'
import { HOUR_AND_MINUTE, MONTH_AND_DAY } from '../schema/values.ts'
import { onlyFieldOf } from './onlyField.ts'

const [FIELD, ARGUMENT, INPUT, PASSING] = ['trackEvents', 'events', 'EventInput', 'EventBatch']

const DECIMAL = '-?\\d{1,15}(?:\\.\\d{1,15})?'
/** JSON that each scalar takes for certain. It may take more; those rows go GraphQL's own way. */
const FORMS: Record<string, string> = {
  ID: TEXT,
  String: TEXT,
  Int: '-?\\d{1,9}',
  DateTime: `"[12]\\d{3}-${MONTH_AND_DAY}T${HOUR_AND_MINUTE}:[0-5]\\d(?:\\.\\d+)?(?:Z|[+-]${HOUR_AND_MINUTE})"`,
  Decimal: `"${DECIMAL}"|${DECIMAL}`,
  JSON: VALUE,
}

const leafOf = ({ type }: GraphQLInputField): GraphQLLeafType =>
  ('ofType' in type ? type.ofType : type) as GraphQLLeafType

/** A regular expression of rows, known to be JSON, that have this type for certain. */
function patternOf(fields: readonly GraphQLInputField[]): RegExp {
  const entry = (field: GraphQLInputField) => {
    const form = FORMS[leafOf(field).name]
    if (form === undefined) throw new Error(`typed rows know no form of ${String(field.type)}`)
    // Nothing may match in two ways, or a row that says it often enough would be tried for ever.
    const value = isRequiredInputField(field) || form === VALUE ? form : `${form}|null`
    return `"${field.name}"${SPACE}:${SPACE}(?:${value})${SPACE}[,}]${SPACE}`
  }
  const any = `(?:${fields.map(entry).join('|')})*`
  const required = fields.filter(isRequiredInputField).map((field) => `(?=${any}?${entry(field)})`)
  return new RegExp(`^${SPACE}\\{${SPACE}${required.join('')}${any}$`)
}

/** The document with that variable passed through, and its name; undefined where the call is of any other form. */
function pass(document: DocumentNode): { document: DocumentNode; variable: string } | undefined {
  const only = onlyFieldOf(document)
  if (only?.field.name.value !== FIELD) return undefined
  const { operation, field } = only
  const rows = field.arguments?.find(({ name }) => name.value === ARGUMENT)?.value
  if (rows?.kind !== Kind.VARIABLE) return undefined
  const isRows = ({ variable }: VariableDefinitionNode) => variable.name.value === rows.name.value
  const definition = operation.variableDefinitions?.find(isRows)
  if (!definition || definition.defaultValue || print(definition.type) !== `[${INPUT}!]!`) return undefined
  const name = { kind: Kind.NAME, value: PASSING } as const
  const type = { kind: Kind.NON_NULL_TYPE, type: { kind: Kind.NAMED_TYPE, name } } as const
  const variableDefinitions = operation.variableDefinitions?.map((each) => (isRows(each) ? { ...each, type } : each))
  return {
    document: { ...document, definitions: [{ ...operation, variableDefinitions }] },
    variable: rows.name.value,
  }
}

export interface TypedRows {
  /** The document and variables to execute in place of these; undefined where these are GraphQL's to look at. */
  pass(
    document: DocumentNode,
    variables: Readonly<Record<string, unknown>>,
  ): { document: DocumentNode; variableValues: Record<string, unknown> } | undefined
}

export function makeTypedRows(schema: GraphQLSchema): TypedRows {
  const fields = Object.values((schema.getType(INPUT) as GraphQLInputObjectType).getFields())
  const pattern = patternOf(fields)
  const leaves = new Map(fields.map((field) => [field.name, leafOf(field)]))
  // Yoga parses equal texts once, so equal documents are the same object.
  const known = new WeakMap<DocumentNode, ReturnType<typeof pass>>()

  /** A row as GraphQL's coercion hands it on. */
  const coerce = (row: JsonRow): JsonRow =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, value === null ? null : leaves.get(name)!.parseValue(value)]),
    )

  function areTyped(rows: JsonRows): boolean {
    for (const index of rows.keys()) if (!pattern.test(rows.byteText(index))) return false
    return true
  }

  return {
    pass(document, variables) {
      if (!known.has(document)) known.set(document, pass(document))
      const passing = known.get(document)
      const rows = passing && variables[passing.variable]
      if (!(rows instanceof JsonRows) || !areTyped(rows)) return undefined
      return { document: passing!.document, variableValues: { ...variables, [passing!.variable]: rows.as(coerce) } }
    },
  }
}

/** Executes operations so where they can be. */
export function passTypedRows(schema: GraphQLSchema): Plugin {
  const typedRows = makeTypedRows(schema)
  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      const passed = typedRows.pass(args.document, args.variableValues ?? {})
      if (passed) setExecuteFn((given) => executeFn({ ...given, ...passed }))
    },
  }
}
