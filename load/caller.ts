// One GraphQL call over a kept connection: the body is text already, the answer comes with what the server says of it.
import { once } from 'node:events'
import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'

export interface Answer<T> {
  data?: T
  /** Of the error that the whole call got; UNREACHABLE where there was no answer that could be read. */
  errorCode?: string
  message?: string
  retryAfterMs?: number
}

export interface Caller {
  /** Never rejects. */
  call<T>(body: string): Promise<Answer<T>>
  close(): void
}

interface GraphqlAnswer<T> {
  data?: T | null
  errors?: { message: string; extensions?: { code?: string; retryAfterMs?: number } }[]
}

export interface CallerOptions {
  /** An API key, sent as bearer token. */
  key?: string | null
  timeoutMs?: number
}

/** `url`: of the API, such as http://localhost:4000/graphql. */
export function makeCaller(url: string, { key = null, timeoutMs = 60_000 }: CallerOptions = {}): Caller {
  const secure = new URL(url).protocol === 'https:'
  const request = secure ? httpsRequest : httpRequest
  const agent = secure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true })

  async function post(body: Buffer): Promise<string> {
    const headers = {
      'content-type': 'application/json',
      'content-length': body.length,
      accept: 'application/graphql-response+json',
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
    }
    const sent = request(url, { method: 'POST', agent, headers, timeout: timeoutMs })
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')))
    sent.end(body)
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    response.setEncoding('utf8')
    let text = ''
    for await (const chunk of response) text += chunk as string
    return text
  }

  return {
    async call<T>(body: string): Promise<Answer<T>> {
      try {
        const { data, errors } = JSON.parse(await post(Buffer.from(body))) as GraphqlAnswer<T>
        const [error] = errors ?? []
        if (!error && data) return { data }
        const { code = 'INTERNAL', retryAfterMs } = error?.extensions ?? {}
        return { errorCode: code, message: error?.message, retryAfterMs }
      } catch (error) {
        return { errorCode: 'UNREACHABLE', message: (error as Error).message }
      }
    },
    close: () => agent.destroy(),
  }
}
