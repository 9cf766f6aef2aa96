// What a caller may see when a call fails: one error class and a closed list of codes. Causes stay inside, for the log.

/** Every `extensions.code` the API answers with, over HTTP, SSE and WebSocket alike. */
export const ERROR_CODES = [
  'BAD_REQUEST',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'RATE_LIMITED',
  'OVERLOADED',
  'PAYLOAD_TOO_LARGE',
  'UNAVAILABLE',
  'IDEMPOTENCY_KEY_REUSED',
  'INTERNAL',
] as const

export type ErrorCode = (typeof ERROR_CODES)[number]

/** What is sent beside the message. `retryAfterMs` goes with OVERLOADED, RATE_LIMITED and UNAVAILABLE. */
export interface ErrorExtensions {
  code: ErrorCode
  retryAfterMs?: number
  [name: string]: unknown
}

/**
 * An error whose message and extensions are meant for the caller. Anything else that is thrown is masked at the edge.
 * `cause` is logged there and never sent.
 */
export class LookoutError extends Error {
  override readonly name = 'LookoutError'
  readonly code: ErrorCode
  readonly extensions: ErrorExtensions

  constructor(
    code: ErrorCode,
    message: string,
    extensions: Omit<Partial<ErrorExtensions>, 'code'> = {},
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.extensions = { ...extensions, code }
  }
}

const HTTP_STATUS: Record<ErrorCode, number> = {
  BAD_REQUEST: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  RATE_LIMITED: 429,
  OVERLOADED: 503,
  PAYLOAD_TOO_LARGE: 413,
  UNAVAILABLE: 503,
  IDEMPOTENCY_KEY_REUSED: 409,
  INTERNAL: 500,
}

/** The HTTP status that goes with a code, where the whole call failed. */
export const httpStatusOf = (code: ErrorCode): number => HTTP_STATUS[code]
