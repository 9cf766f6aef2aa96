// GraphQL over HTTP: one call, or one call repeated until it is answered. Connections are kept alive.
// Node's own client, as fetch took a third of the shop's time for the same calls.
import { once, setMaxListeners } from 'node:events'
import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'

export interface ClientOptions {
  url: string
  /** An API key, sent as bearer token. */
  key?: string | null
  /** A call not answered by then counts as lost and is repeated. */
  callTimeoutMs?: number
  /** Pauses between repeats double from the first to the second of these. */
  backOffMs?: { first: number; last: number }
}

/** Why a call has no answer; `retryable` when the same call may succeed later. */
export class CallError extends Error {
  override readonly name = 'CallError'
  readonly code: string
  readonly retryable: boolean
  /** How long the server asks to wait, if it says. */
  readonly retryAfterMs: number | null

  constructor(
    code: string,
    message: string,
    more: { retryable: boolean; retryAfterMs?: number | null; cause?: unknown },
  ) {
    super(message, { cause: more.cause })
    this.code = code
    this.retryable = more.retryable
    this.retryAfterMs = more.retryAfterMs ?? null
  }
}

export interface Client {
  url: string
  /** Calls once. Throws CallError. */
  call<T>(document: string, variables: Record<string, unknown>): Promise<T>
  /** Calls until answered; only an error that no repeat can mend is thrown (CallError), or the client's closing. */
  callUntilAnswered<T>(document: string, variables: Record<string, unknown>): Promise<T>
  /** What stands in the way at the moment, or null. */
  trouble(): string | null
  /** Mean time to an answer of the calls since the last time this was asked, in milliseconds. */
  takeLatencyMs(): number | null
  /** No repeats from now on where the server is gone; other calls go on. */
  finish(): void
  /** Ends all calls under way. */
  close(): void
}

// INTERNAL: a call answered with an error wrote nothing, so a repeat is safe; a few, as the fault may be the call's own.
const internalRepeatsMax = 4
const retryableCodes = new Set(['OVERLOADED', 'UNAVAILABLE', 'RATE_LIMITED', 'INTERNAL'])
const retryableStatus = new Set([408, 429, 500, 502, 503, 504])

interface GraphqlAnswer {
  data?: unknown
  errors?: { message: string; extensions?: { code?: string; retryAfterMs?: number } }[]
}

export function makeClient(options: ClientOptions): Client {
  const { url, key = null, callTimeoutMs = 30_000, backOffMs = { first: 100, last: 5_000 } } = options
  const closing = new AbortController()
  let finishing = false
  let trouble: string | null = null
  let latency = { calls: 0, sumMs: 0 }

  const secure = new URL(url).protocol === 'https:'
  const request = secure ? httpsRequest : httpRequest
  const agent = secure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true })
  // Every call under way listens to it.
  setMaxListeners(0, closing.signal)

  async function call<T>(document: string, variables: Record<string, unknown>): Promise<T> {
    const startedMs = performance.now()
    const { response, text } = await post(Buffer.from(JSON.stringify({ query: document, variables })))
    const answer = readAnswer(text)
    if (!answer || answer.errors?.[0] || (response.statusCode ?? 500) >= 400) throw toCallError(response, answer, text)
    latency = { calls: latency.calls + 1, sumMs: latency.sumMs + performance.now() - startedMs }
    return answer.data as T
  }

  async function post(body: Buffer): Promise<{ response: IncomingMessage; text: string }> {
    try {
      const sent = request(url, {
        method: 'POST',
        agent,
        headers: {
          'content-type': 'application/json',
          'content-length': body.length,
          accept: 'application/graphql-response+json, application/json',
          ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        },
        signal: closing.signal,
        timeout: callTimeoutMs,
      })
      sent.on('timeout', () => sent.destroy(new Error('no answer in time')))
      sent.end(body)
      const [response] = (await once(sent, 'response')) as [IncomingMessage]
      response.setEncoding('utf8')
      let text = ''
      for await (const chunk of response) text += chunk as string
      return { response, text }
    } catch (cause) {
      if (closing.signal.aborted) throw new CallError('CLOSED', 'The shop has closed.', { retryable: false, cause })
      throw new CallError('UNREACHABLE', `${url}: ${reasonOf(cause)}`, { retryable: true, cause })
    }
  }

  async function callUntilAnswered<T>(document: string, variables: Record<string, unknown>): Promise<T> {
    let internal = 0
    for (let pauseMs = backOffMs.first; ; pauseMs = Math.min(pauseMs * 2, backOffMs.last)) {
      try {
        const data = await call<T>(document, variables)
        trouble = null
        return data
      } catch (error) {
        if (!(error instanceof CallError) || !error.retryable) throw error
        if (error.code === 'INTERNAL' && ++internal > internalRepeatsMax) throw error
        if (finishing && error.code === 'UNREACHABLE') throw error
        trouble = `${error.code}: ${error.message}`
        await pause(Math.max(error.retryAfterMs ?? 0, pauseMs * (0.75 + Math.random() / 2)), closing.signal)
      }
    }
  }

  return {
    url,
    call,
    callUntilAnswered,
    trouble: () => trouble,
    takeLatencyMs() {
      const { calls, sumMs } = latency
      latency = { calls: 0, sumMs: 0 }
      return calls === 0 ? null : sumMs / calls
    },
    finish: () => (finishing = true),
    close() {
      closing.abort()
      agent.destroy()
    },
  }
}

function readAnswer(text: string): GraphqlAnswer | null {
  try {
    const answer: unknown = JSON.parse(text)
    return typeof answer === 'object' && answer !== null ? (answer as GraphqlAnswer) : null
  } catch {
    return null
  }
}

function toCallError(response: IncomingMessage, answer: GraphqlAnswer | null, text: string): CallError {
  const error = answer?.errors?.[0]
  const status = response.statusCode ?? 0
  const code = error?.extensions?.code ?? (retryableStatus.has(status) ? 'UNAVAILABLE' : 'BAD_ANSWER')
  const afterSeconds = Number(response.headers['retry-after'] ?? Number.NaN)
  return new CallError(code, error?.message ?? `HTTP ${status}: ${text.slice(0, 200)}`, {
    retryable: retryableCodes.has(code),
    retryAfterMs: error?.extensions?.retryAfterMs ?? (afterSeconds >= 0 ? afterSeconds * 1_000 : null),
  })
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error)
}

/** Waits; ends at once with CLOSED when the client closes. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const closed = () => {
      clearTimeout(timer)
      reject(new CallError('CLOSED', 'The shop has closed.', { retryable: false }))
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', closed)
      resolve()
    }, ms)
    if (signal.aborted) closed()
    else signal.addEventListener('abort', closed, { once: true })
  })
}
