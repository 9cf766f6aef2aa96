// GraphQL itself, for all transports: one schema, one set of checks, one mask. Yoga serves HTTP and SSE with it.
import type { ServerResponse } from 'node:http'
import type { Context as TraceContext, Tracer } from '@opentelemetry/api'
import type { GraphQLSchema } from 'graphql'
import { createYoga, isAsyncIterable, type Plugin, type YogaServerInstance } from 'graphql-yoga'
import type { Caller } from '../access/callers.ts'
import type { Context, Services } from '../schema/context.ts'
import { limitCost } from './cost.ts'
import type { Mask, Result } from './failures.ts'
import type { TransportLimits } from './limits.ts'
import { assertNesting } from './nesting.ts'
import { releaseRows } from './releaseRows.ts'
import { checkRights } from './rights.ts'
import { makeExtentRule } from './rules.ts'
import { shareResults } from './shared.ts'
import { serveSse } from './sse.ts'
import { traceOperations } from './traces.ts'
import { passTypedRows } from './typedRows.ts'

/** What a transport says of an operation when it begins. */
export interface OperationContext {
  requestId: string
  caller: Caller
  /** The span of the request that it came by. */
  traceContext?: TraceContext
}

export interface OperationsDependencies {
  schema: GraphQLSchema
  services: Services
  mask: Mask
  tracer?: Tracer
  /** Told before a stream of events that is not read is ended. */
  onSlow: (response: ServerResponse) => void
}

export type Operations = YogaServerInstance<OperationContext, Context>

export function makeOperations(
  { schema, services, mask, tracer, onSlow }: OperationsDependencies,
  limits: TransportLimits,
): Operations {
  return createYoga<OperationContext, Context>({
    schema,
    graphqlEndpoint: '/graphql',
    context: ({ requestId, caller }) => ({ requestId, caller, services }),
    // The transport in front reads and bounds the body, answers for origins, and shows GraphiQL.
    maxRequestBodySize: false,
    multipart: false,
    cors: false,
    graphiql: false,
    landingPage: false,
    // Errors are masked below, with the request's id; what is to be logged is logged there.
    maskedErrors: false,
    logging: false,
    plugins: [
      ...(tracer ? [traceOperations(tracer)] : []),
      limitDocument(limits),
      limitExtent(limits),
      checkRights(),
      limitCost(limits.complexityMax),
      passTypedRows(schema),
      releaseRows(),
      shareResults(),
      maskResults(mask),
      serveSse({ mask, onSlow }, limits),
    ],
  })
}

const limitDocument = (limits: TransportLimits): Plugin => ({
  onParse({ parseFn, setParseFn }) {
    setParseFn((source: string, options?: object) => {
      assertNesting(source, limits)
      return parseFn(source, { ...options, maxTokens: limits.tokensMax })
    })
  },
})

const limitExtent = (limits: TransportLimits): Plugin => {
  const rule = makeExtentRule(limits)
  return { onValidate: ({ addValidationRule }) => addValidationRule(rule) }
}

/** Of single answers on HTTP; streams by SSE and on sockets are masked where they are poured out. */
const maskResults = (mask: Mask): Plugin => ({
  onResultProcess({ result, setResult, serverContext }) {
    const { requestId } = serverContext as unknown as OperationContext
    if (!isAsyncIterable(result)) setResult(mask.result(result as Result, requestId, { http: true }) as never)
  },
})
