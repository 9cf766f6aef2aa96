// Whose pages may call: the server's own, and those it was told of. Callers that are no browser send no origin.
import type { IncomingMessage } from 'node:http'

export interface Origins {
  /** Whether a page of this origin may call at all, over HTTP or a socket. */
  allows(request: IncomingMessage): boolean
  /** The headers that let a page of another, allowed origin read the answer. */
  headers(request: IncomingMessage): Record<string, string>
}

/** `allowed`: origins such as "https://shop.example". */
export function makeOrigins(allowed: readonly string[]): Origins {
  const listed = new Set(allowed.map((origin) => origin.toLowerCase()))

  function isOwn(origin: string, host: string | undefined): boolean {
    try {
      return new URL(origin).host === host?.toLowerCase()
    } catch {
      return false
    }
  }

  return {
    allows({ headers }) {
      const { origin, host } = headers
      if (origin !== undefined) return isOwn(origin, host) || listed.has(origin.toLowerCase())
      // A script or image tag of another site sends no origin, but browsers say where it comes from.
      return headers['sec-fetch-site'] !== 'cross-site' || headers['sec-fetch-mode'] === 'navigate'
    },
    headers({ headers: { origin } }): Record<string, string> {
      if (origin === undefined || !listed.has(origin.toLowerCase())) return {}
      return {
        'access-control-allow-origin': origin,
        'access-control-allow-methods': 'GET, POST',
        'access-control-allow-headers': 'content-type, authorization, x-request-id',
        'access-control-expose-headers': 'x-request-id, retry-after',
        'access-control-max-age': '600',
        vary: 'Origin',
      }
    },
  }
}
