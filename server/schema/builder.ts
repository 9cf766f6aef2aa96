// The one Pothos builder all rooms add their types to: plugins, scalars, and the enums the database shares with the API.
import SchemaBuilder from '@pothos/core'
import ComplexityPlugin from '@pothos/plugin-complexity'
import PrismaPlugin from '@pothos/plugin-prisma'
import RelayPlugin from '@pothos/plugin-relay'
import type PrismaTypes from '../db/generated/pothos.ts'
import { getDatamodel } from '../db/generated/pothos.ts'
import { LookoutError } from '../errors.ts'
import type { Context } from './context.ts'
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
  /** Points an operation may cost; a field costs 1, a list its page size times what is below it. */
  complexityMax: number
  /** Levels of fields below the operation. */
  depthMax: number
}

export const BUILDER_LIMITS: BuilderLimits = {
  pageRowsMax: 500,
  pageRowsDefault: 25,
  complexityMax: 20_000,
  depthMax: 12,
}

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
    relay: {
      clientMutationId: 'omit',
      cursorType: 'String',
      nodeTypeOptions: { description: 'An object with a global id (Relay).' },
      pageInfoTypeOptions: { description: 'Where a page lies in its connection (Relay).' },
    },
    complexity: {
      defaultComplexity: 1,
      defaultListMultiplier: LIST_ROWS_ASSUMED,
      limit: { complexity: limits.complexityMax, depth: limits.depthMax },
      complexityError: (kind, result) => {
        const [what, got, max] =
          kind === 'Depth'
            ? ['deep', result.depth, result.maxDepth]
            : ['costly', result.complexity, result.maxComplexity]
        return new LookoutError('BAD_REQUEST', `The operation is too ${what}: ${got}, and the limit is ${max}.`)
      },
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

/** What a room's `add…(builder)` takes; the shared enums are at `builder.enums`. */
export type Builder = ReturnType<typeof makeBuilder>
