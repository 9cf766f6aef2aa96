// The one mask at the edge: whatever failed becomes a code, a sentence and a request id; the cause goes to the log.
import { PothosValidationError } from '@pothos/core'
import { GraphQLError } from 'graphql'
import type { Logger } from 'pino'
import { isAway } from '../db/away.ts'
import { ERROR_CODES, type ErrorCode, httpStatusOf, LookoutError } from '../errors.ts'

interface Failure {
  code: ErrorCode
  message: string
  extensions?: { retryAfterMs?: number; [name: string]: unknown }
  /** Where it is not the status of the code. */
  httpStatus?: number
  /** Not the caller's doing: worth a line in the log. */
  cause?: unknown
}

const RETRY_AFTER_MS = 1000

const isCode = (code: unknown): code is ErrorCode => ERROR_CODES.includes(code as ErrorCode)

/** An error and what it was caused by, outermost first. */
function* chain(error: unknown): Generator<unknown> {
  let current = error
  for (let depth = 0; current != null && depth < 8; depth++) {
    yield current
    const { originalError, cause, meta } = current as {
      originalError?: unknown
      cause?: unknown
      meta?: { driverAdapterError?: unknown }
    }
    current = originalError ?? meta?.driverAdapterError ?? cause
  }
}

/** Prisma's own codes of a database that cannot be reached, or not in time. */
const PRISMA_AWAY = /^(?:P1001|P1002|P1008|P1017|P2024)$/

/** Another transaction was in the way (serialisation, dead-lock, lock time-out): the same passes when it is asked again. */
const CROSSED = /^(?:40...|55P03|P2034)$/

/** What PostgreSQL, its driver or Prisma say of a failed statement, by their codes. */
function readDatabaseFailure(error: unknown): Failure | undefined {
  const { originalCode, code, message } = error as { originalCode?: unknown; code?: unknown; message?: string }
  const state = originalCode ?? code
  if (isAway({ code: state, message }) || PRISMA_AWAY.test(String(state))) {
    return {
      code: 'UNAVAILABLE',
      message: 'The database is out of reach.',
      extensions: { retryAfterMs: RETRY_AFTER_MS },
    }
  }
  if (CROSSED.test(String(state))) {
    return {
      code: 'UNAVAILABLE',
      message: 'Another transaction was in the way in the database; try again.',
      extensions: { retryAfterMs: RETRY_AFTER_MS },
    }
  }
  if (typeof state !== 'string') return undefined
  if (state === '57014') {
    return { code: 'BAD_REQUEST', message: 'This took too long; ask for less, or narrow it with a filter.' }
  }
  if (/^22...$/.test(state)) return { code: 'BAD_REQUEST', message: 'A value is malformed or out of range.' }
  if (/^53...$/.test(state)) {
    return {
      code: 'OVERLOADED',
      message: 'The database has no room left.',
      extensions: { retryAfterMs: RETRY_AFTER_MS },
    }
  }
  return undefined
}

/** GraphQL's own errors: those about the request are the caller's, those about a result are ours. */
function readGraphQLFailure(error: GraphQLError): Failure | undefined {
  if (error.originalError && !(error.originalError instanceof GraphQLError)) return undefined
  const { code, http } = error.extensions as { code?: unknown; http?: { status?: number; spec?: boolean } }
  const { message } = error
  // `spec` marks what is no more than the status of the code: an operation that makes no sense.
  const httpStatus = http?.spec ? undefined : http?.status
  if (isCode(code)) return { code, message, httpStatus }
  if (!error.path || /^(?:Argument|Variable) "/.test(message)) return { code: 'BAD_REQUEST', message, httpStatus }
  return undefined
}

function readFailure(error: unknown): Failure {
  for (const link of chain(error)) {
    if (link instanceof LookoutError) {
      const { code: _, ...extensions } = link.extensions
      return { code: link.code, message: link.message, extensions, cause: link.cause }
    }
    if (link instanceof PothosValidationError) return { code: 'BAD_REQUEST', message: link.message }
    if (link instanceof GraphQLError) {
      const failure = readGraphQLFailure(link)
      if (failure) return failure
      continue
    }
    const failure = readDatabaseFailure(link)
    if (failure) return { ...failure, cause: error }
  }
  return {
    code: 'INTERNAL',
    message: 'Something went wrong here. The log has the cause, under this request id.',
    cause: error,
  }
}

/** A result as GraphQL gives it, before and after the mask. */
export interface Result {
  data?: unknown
  errors?: readonly unknown[]
}

export interface Mask {
  /** One error, fit to be sent. */
  error(error: unknown, requestId: string): GraphQLError
  /** A result with its errors masked; `http` says to give a whole-call error its HTTP status. */
  result<T extends Result>(result: T, requestId: string, options?: { http: boolean }): T
}

export function makeMask(log: Logger): Mask {
  function mask(error: unknown, requestId: string, http: boolean): GraphQLError {
    const { code, message, httpStatus, cause, extensions } = readFailure(error)
    if (code === 'INTERNAL') log.error({ err: cause, requestId }, 'a call failed')
    else if (cause !== undefined) log.warn({ err: cause, requestId, code }, 'a call was refused')
    const { nodes, source, positions, path } = error instanceof GraphQLError ? error : ({} as Partial<GraphQLError>)
    const masked = new GraphQLError(message, {
      nodes,
      source,
      positions,
      path,
      extensions: { ...extensions, code, requestId },
    })
    if (http) masked.extensions.http = httpOf(code, httpStatus, extensions?.retryAfterMs)
    return masked
  }

  return {
    error: (error, requestId) => mask(error, requestId, false),
    result(result, requestId, { http } = { http: false }) {
      if (!result.errors?.length) return result
      // The status is for the whole answer, so it is set only where nothing else is in it.
      const isWhole = http && result.data == null
      return { ...result, errors: result.errors.map((error) => mask(error, requestId, isWhole)) }
    },
  }
}

/** What Yoga makes an HTTP answer of; it is not sent itself. */
const httpOf = (code: ErrorCode, status: number | undefined, retryAfterMs: number | undefined) => ({
  status: status ?? httpStatusOf(code),
  headers: retryAfterMs ? { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) } : undefined,
  // A client that accepts application/json alone is answered 200 then, as GraphQL over HTTP says.
  spec: code === 'BAD_REQUEST' && status === undefined,
})
