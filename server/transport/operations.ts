// GraphQL itself, for all transports: one schema, one set of checks, one mask. Yoga serves HTTP and SSE with it.
import type { GraphQLSchema } from 'graphql'
import { createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga'
import type { Caller } from '../access/callers.ts'
import { isStream, type Stream } from '../outlet.ts'
import type { Context, Services } from '../schema/context.ts'
import { limitCost } from './cost.ts'
import type { Mask, Result } from './failures.ts'
import type { TransportLimits } from './limits.ts'
import { mapStream } from './mapStream.ts'
import { checkRights } from './rights.ts'
import { makeExtentRule } from './rules.ts'
import { shareResults } from './shared.ts'
import { serveSse } from './sse.ts'

/** What a transport says of an operation when it begins. */
export interface OperationContext {
  requestId: string
  caller: Caller
}

export type Operations = YogaServerInstance<OperationContext, Context>

export function makeOperations(
  { schema, services, mask }: { schema: GraphQLSchema; services: Services; mask: Mask },
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
      limitTokens(limits.tokensMax),
      limitExtent(limits),
      checkRights(),
      limitCost(limits.complexityMax),
      shareResults(),
      maskResults(mask),
      serveSse(limits),
    ],
  })
}

const limitTokens = (tokensMax: number): Plugin => ({
  onParse({ parseFn, setParseFn }) {
    setParseFn((source: string, options?: object) => parseFn(source, { ...options, maxTokens: tokensMax }))
  },
})

const limitExtent = (limits: TransportLimits): Plugin => {
  const rule = makeExtentRule(limits)
  return { onValidate: ({ addValidationRule }) => addValidationRule(rule) }
}

/** On HTTP and SSE; on a socket the same mask is called by the socket's own hooks. */
const maskResults = (mask: Mask): Plugin => ({
  onResultProcess({ result, setResult, serverContext }) {
    const { requestId } = serverContext as unknown as OperationContext
    if (isStream(result)) {
      setResult(
        mapStream(result as unknown as Stream<Result>, {
          each: (each) => mask.result(each, requestId),
          failed: (error): Result => ({ errors: [mask.error(error, requestId)] }),
        }) as never,
      )
    } else {
      setResult(mask.result(result as Result, requestId, { http: true }) as never)
    }
  },
})
