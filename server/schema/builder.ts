// The one Pothos builder all rooms add their types to: plugins, scalars, and the enums the database shares with the API.
import SchemaBuilder from '@pothos/core'
import ComplexityPlugin from '@pothos/plugin-complexity'
import PrismaPlugin from '@pothos/plugin-prisma'
import RelayPlugin from '@pothos/plugin-relay'
import type PrismaTypes from '../db/generated/pothos.ts'
import { getDatamodel } from '../db/generated/pothos.ts'
import { LookoutError } from '../errors.ts'
import type { Context } from './context.ts'
import { relayTexts } from './relayTexts.ts'
import { cursor, dateTime, decimal, type DecimalLike, duration, eventBatch, json } from './scalars.ts'

interface BuilderTypes {
  Context: Context
  PrismaTypes: PrismaTypes
  DefaultFieldNullability: false
  Scalars: {
    ID: { Input: string; Output: string | number }
    DateTime: { Input: Date; Output: Date | string }
    /** Milliseconds. */
    Duration: { Input: number; Output: number }
    /** Exact decimal text. */
    Decimal: { Input: string; Output: DecimalLike | string | number }
    JSON: { Input: unknown; Output: unknown }
    Cursor: { Input: string; Output: string }
    EventBatch: { Input: unknown; Output: unknown }
  }
}

export interface BuilderLimits {
  /** Rows a page of a connection holds at most. */
  pageRowsMax: number
  /** Rows of a page where neither `first` nor `last` is given. */
  pageRowsDefault: number
}

export const BUILDER_LIMITS: BuilderLimits = { pageRowsMax: 500, pageRowsDefault: 25 }

/** Rows a list without a page size is taken to hold, when an operation's cost is added up before it runs. */
const LIST_ROWS_ASSUMED = 10

/** Makes a builder with scalars and shared enums on it. Fields are non-null unless they say `nullable: true`. */
export function makeBuilder(limits: BuilderLimits = BUILDER_LIMITS) {
  const builder = new SchemaBuilder<BuilderTypes>({
    plugins: [ComplexityPlugin, RelayPlugin, PrismaPlugin],
    defaultFieldNullability: false,
    prisma: {
      client: (context) => context.services.prisma,
      dmmf: getDatamodel(),
      maxConnectionSize: limits.pageRowsMax,
      defaultConnectionSize: limits.pageRowsDefault,
      onUnusedQuery: 'error',
    },
    relay: { ...relayTexts, nodesQueryOptions: { ...relayTexts.nodesQueryOptions, ...boundNodes(limits) } },
    complexity: {
      defaultComplexity: 1,
      defaultListMultiplier: LIST_ROWS_ASSUMED,
      // Checked before an operation runs, by the transport: from here a subscription would be refused event by event.
      disabled: true,
    },
  })

  builder.scalarType('DateTime', dateTime)
  builder.scalarType('Duration', duration)
  builder.scalarType('Decimal', decimal)
  builder.scalarType('JSON', json)
  builder.scalarType('Cursor', cursor)
  builder.scalarType('EventBatch', eventBatch)

  const enums = {
    Gender: builder.enumType('Gender', {
      description: "A user's gender, as theLook has it.",
      values: { F: { description: 'Female.' }, M: { description: 'Male.' } } as const,
    }),
    OrderStatus: builder.enumType('OrderStatus', {
      description: 'Where an order stands: Processing → Shipped → Complete → Returned, or Processing → Cancelled.',
      values: {
        PROCESSING: { description: 'Placed, not yet sent.' },
        SHIPPED: { description: 'On its way.' },
        COMPLETE: { description: 'Delivered.' },
        CANCELLED: { description: 'Called off before it was sent.' },
        RETURNED: { description: 'Sent back after delivery.' },
      } as const,
    }),
    Severity: builder.enumType('Severity', {
      description: "A message's column.",
      values: {
        SUCCESS: { description: 'Something went well.' },
        WARNING: { description: 'Something wants a look.' },
        DANGER: { description: 'Something is wrong.' },
      } as const,
    }),
  }

  return Object.assign(builder, { enums })
}

/** So many ids a call as rows a page; each is one look into the database. */
const boundNodes = ({ pageRowsMax }: BuilderLimits) => ({
  complexity: ({ ids }: { ids: readonly unknown[] }) => ({ field: 1, multiplier: ids.length }),
  resolve<Ids extends readonly unknown[], Nodes>(
    _root: unknown,
    { ids }: { ids: Ids },
    _context: unknown,
    _info: unknown,
    read: (ids: Ids) => Nodes,
  ): Nodes {
    if (ids.length <= pageRowsMax) return read(ids)
    throw new LookoutError('BAD_REQUEST', `nodes takes up to ${pageRowsMax} ids; got ${ids.length}.`)
  },
})

/** What a room's `add…(builder)` takes; the shared enums are at `builder.enums`. */
export type Builder = ReturnType<typeof makeBuilder>
