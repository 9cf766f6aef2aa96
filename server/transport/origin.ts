// Whose pages may call: the server's own, and those it was told of. Callers that are no browser send no origin.
import type { IncomingMessage } from 'node:http'
import { isLoopbackHost } from '../access/loopback.ts'

export interface Origins {
  /**
   * Whether the request asks for a name that is this server's. On loopback that is all there is against a page elsewhere whose
   * own name was made to lead here (DNS rebinding): to the browser, both are then of one origin.
   */
  knowsHost(request: IncomingMessage): boolean
  /** Whether a page of this origin may call at all, over HTTP or a socket. */
  allows(request: IncomingMessage): boolean
  /** The headers that let a page of another, allowed origin read the answer. */
  headers(request: IncomingMessage): Record<string, string>
}

/**
 * `allowed`: origins such as "https://shop.example"; a proxy that passes its own name on wants it listed as well. `isLoopback`: the
 * server listens on loopback alone.
 */
export function makeOrigins(allowed: readonly string[], { isLoopback }: { isLoopback: boolean }): Origins {
  const listed = new Set(allowed.map((origin) => origin.toLowerCase()))
  const listedHosts = new Set([...listed].map((origin) => new URL(origin).host))

  function isOwn(origin: string, host: string | undefined): boolean {
    try {
      return new URL(origin).host === host?.toLowerCase()
    } catch {
      return false
    }
  }

  return {
    knowsHost({ headers: { host } }) {
      if (!isLoopback || host === undefined) return true
      const name = host.toLowerCase().replace(/:\d+$/, '')
      return isLoopbackHost(name) || name.endsWith('.localhost') || listedHosts.has(host.toLowerCase())
    },
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
