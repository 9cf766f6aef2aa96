// What filters and orderings of theLook's connections have in common: ranges, lists, page sizes, keys.
import { LookoutError } from '../../errors.ts'
import { type Builder, BUILDER_LIMITS } from '../builder.ts'

const LIST_VALUES_MAX = 1000

/** Money as the tables keep it: Prisma drops the zeros at its end. */
export const MONEY_DECIMALS = 2

const INT32_MAX = 2_147_483_647
const UUID = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i

/** A UUID as callers write it, or BAD_REQUEST. */
export function readUuid(text: string): string {
  if (!UUID.test(text))
    throw new LookoutError('BAD_REQUEST', `An id here is a UUID; got ${JSON.stringify(text.slice(0, 60))}.`)
  return text
}

/** The whole-number key of a product or distribution centre, or BAD_REQUEST. */
export function readKey(text: string): number {
  const key = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (!(key <= INT32_MAX)) {
    throw new LookoutError('BAD_REQUEST', `An id here is a whole number; got ${JSON.stringify(text.slice(0, 60))}.`)
  }
  return key
}

/** The parts of a compound key (createdAt, id) as node ids carry them, or BAD_REQUEST. */
export function readTimedKey(text: string): { createdAt: Date; id: string } {
  const [moment, id] = text.split('/', 2)
  const createdAt = new Date(moment ?? '')
  if (Number.isNaN(createdAt.getTime())) throw new LookoutError('BAD_REQUEST', 'This is not the id of a node.')
  return { createdAt, id: readUuid(id ?? '') }
}

/** The other way: what a node id of a compound key holds. */
export const timedKey = (row: { createdAt: Date; id: string }): string => `${row.createdAt.toISOString()}/${row.id}`

/** A list of wanted values as Prisma's filter; no list filters nothing. */
export function oneOf<T>(values: readonly T[] | null | undefined): { in: T[] } | undefined
export function oneOf<T, R>(values: readonly T[] | null | undefined, read: (value: T) => R): { in: R[] } | undefined
export function oneOf<T, R>(values: readonly T[] | null | undefined, read?: (value: T) => R) {
  if (values == null) return undefined
  if (values.length > LIST_VALUES_MAX) {
    throw new LookoutError('BAD_REQUEST', `A filter takes up to ${LIST_VALUES_MAX} values; got ${values.length}.`)
  }
  return { in: read ? values.map(read) : [...values] }
}

/** Text as Prisma's filters take it, which hand the wildcards of LIKE on. */
export const literally = (text: string): string => text.replace(/[\\%_]/g, '\\$&')

interface Span<T> {
  from?: T | null
  to?: T | null
}

/** Half-open: from ≤ x < to. */
export const between = <T>(span: Span<T> | null | undefined): { gte?: T; lt?: T } | undefined =>
  span ? { gte: span.from ?? undefined, lt: span.to ?? undefined } : undefined

interface Bounds<T> {
  min?: T | null
  max?: T | null
}

/** Closed: min ≤ x ≤ max. */
export const within = <T>(bounds: Bounds<T> | null | undefined): { gte?: T; lte?: T } | undefined =>
  bounds ? { gte: bounds.min ?? undefined, lte: bounds.max ?? undefined } : undefined

interface PageArguments {
  first?: number | null
  last?: number | null
}

const { pageRowsMax, pageRowsDefault } = BUILDER_LIMITS

/** Options of every connection: a bounded page, and a cost that grows with it. */
export const page = {
  defaultSize: pageRowsDefault,
  maxSize: ({ first, last }: PageArguments): number => {
    const rows = first ?? last ?? pageRowsDefault
    if (rows < 0 || rows > pageRowsMax) {
      throw new LookoutError('BAD_REQUEST', `A page holds 0 to ${pageRowsMax} rows; got ${rows}.`)
    }
    return pageRowsMax
  },
  complexity: ({ first, last }: PageArguments) => ({ field: 1, multiplier: first ?? last ?? pageRowsDefault }),
}

/** Adds the inputs that several types share. */
export function addSharedInputs(builder: Builder) {
  return {
    DateTimeRange: builder.inputType('DateTimeRange', {
      description: 'A span of time, half-open: from ≤ moment < to. An end left out is open.',
      fields: (t) => ({
        from: t.field({ type: 'DateTime', description: 'The first moment inside.' }),
        to: t.field({ type: 'DateTime', description: 'The first moment after it.' }),
      }),
    }),
    IntRange: builder.inputType('IntRange', {
      description: 'Whole numbers from min to max, both included. An end left out is open.',
      fields: (t) => ({
        min: t.int({ description: 'The least.' }),
        max: t.int({ description: 'The greatest.' }),
      }),
    }),
    DecimalRange: builder.inputType('DecimalRange', {
      description: 'Amounts from min to max, both included. An end left out is open.',
      fields: (t) => ({
        min: t.field({ type: 'Decimal', description: 'The least.' }),
        max: t.field({ type: 'Decimal', description: 'The greatest.' }),
      }),
    }),
    SortOrder: builder.enumType('SortOrder', {
      description: 'Which way a list is ordered.',
      values: {
        ASC: { value: 'asc', description: 'Smallest, or oldest, first.' },
        DESC: { value: 'desc', description: 'Largest, or newest, first.' },
      } as const,
    }),
  }
}

export type SharedInputs = ReturnType<typeof addSharedInputs>

/** Enum values of an ordering: name on the wire, Prisma's column, and what it means. */
type OrderColumns<Column extends string> = Record<string, { value: Column; description: string }>

/**
 * Adds `<Type>OrderBy` and its enum of columns. All columns offered have an index, or a table small enough without.
 * `read` gives Prisma's orderBy, with the key as the last resort so that pages never overlap.
 */
export function addOrdering<Column extends string, Key extends string>(
  builder: Builder,
  shared: SharedInputs,
  typeName: string,
  columns: OrderColumns<Column>,
  key: Key,
) {
  const Field = builder.enumType(`${typeName}OrderField`, {
    description: `What a list of ${typeName} objects can be ordered by.`,
    values: columns,
  })
  const OrderBy = builder.inputType(`${typeName}OrderBy`, {
    description: `The order of a list of ${typeName} objects; equal ones are ordered by key.`,
    fields: (t) => ({
      field: t.field({ type: Field, required: true, description: 'What to order by.' }),
      direction: t.field({
        type: shared.SortOrder,
        required: true,
        defaultValue: 'desc',
        description: 'Which way.',
      }),
    }),
  })
  const read = (orderBy: { field: unknown; direction: 'asc' | 'desc' }) => {
    const { field, direction } = orderBy
    const first = { [field as Column]: direction }
    return field === key ? [first] : [first, { [key]: direction }]
  }
  return {
    OrderBy,
    read: read as (orderBy: { field: unknown; direction: 'asc' | 'desc' }) => Record<Column | Key, 'asc' | 'desc'>[],
  }
}
