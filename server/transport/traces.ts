// Spans of what callers ask: one for each request, and below it one for each GraphQL operation. Names and types are told, values never.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Context as TraceContext, Tracer } from '@opentelemetry/api'
import { type ExecutionArgs, getOperationAST } from 'graphql'
import { isAsyncIterable, type Plugin } from 'graphql-yoga'
import { endSpan, startRequest } from '../tracing.ts'
import type { Result } from './failures.ts'
import type { OperationContext } from './operations.ts'

export function traceOperations(tracer: Tracer): Plugin {
  function start(args: ExecutionArgs): (result: unknown) => void {
    const operation = getOperationAST(args.document, args.operationName)
    const type = operation?.operation ?? 'none'
    const name = operation?.name?.value
    const { requestId, traceContext } = args.contextValue as OperationContext
    const attributes = {
      'graphql.operation.type': type,
      ...(name === undefined ? {} : { 'graphql.operation.name': name }),
      'lookout.request_id': requestId,
    }
    const span = tracer.startSpan(name === undefined ? type : `${type} ${name}`, { attributes }, traceContext)
    return (result) => endSpan(span, { failed: !isAsyncIterable(result) && Boolean((result as Result | null)?.errors) })
  }
  return {
    onExecute({ args }) {
      const end = start(args)
      return { onExecuteDone: ({ result }) => end(result) }
    },
    // Of a subscription: until it has begun, or was refused.
    onSubscribe({ args }) {
      const end = start(args)
      return { onSubscribeResult: ({ result }) => end(result) }
    },
  }
}

/** A span from now until the answer has gone out; operations of the request go below it. */
export function traceRequest(tracer: Tracer, request: IncomingMessage, response: ServerResponse): TraceContext {
  const { method = '', headers } = request
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
  const { span, within } = startRequest(tracer, path === '/graphql' ? `${method} ${path}` : method, {
    traceparent: headers.traceparent,
    attributes: {
      'http.request.method': method,
      'url.path': path,
      'lookout.request_id': String(response.getHeader('x-request-id')),
    },
  })
  response.once('close', () => {
    span.setAttribute('http.response.status_code', response.statusCode)
    endSpan(span, { failed: response.statusCode >= 500 })
  })
  return within
}
