// The socket's life as the page shows it: connecting, open, or waiting for the next try. Built on graphql-ws' own events.
import { createClient, type Client } from 'graphql-ws'
import { shallowRef, type ShallowRef } from 'vue'
import { bearer } from './session.ts'
import { backoffMs } from './backoff.ts'

export type ConnectionState =
  | { is: 'connecting'; lostAt: number | null }
  | { is: 'open' }
  | { is: 'waiting'; lostAt: number | null; retryAt: number }

/** The server's close code where there is no good key. */
const UNAUTHORIZED = 4401

export interface Connection {
  readonly state: Readonly<ShallowRef<ConnectionState>>
  readonly socket: Client
  /** Ends the wait and tries at once. */
  retryNow(): void
  close(): void
}

export interface ConnectionOptions {
  /** Sent when a socket opens. */
  key?: string | null
  /** The server takes no calls without a key, or not with this one: there is no further try. */
  onRefused?: () => void
  pingEveryMs?: number
  pongWithinMs?: number
  /** Where there is no WebSocket of the platform's own: Node before 22. */
  webSocketImpl?: unknown
}

/** `url`: of the GraphQL endpoint, ws: or wss:. Tries for ever; a socket that answers no ping is given up and replaced. */
export function makeConnection(
  url: string,
  { key = null, onRefused, pingEveryMs = 10_000, pongWithinMs = 5_000, webSocketImpl }: ConnectionOptions = {},
): Connection {
  const state = shallowRef<ConnectionState>({ is: 'connecting', lostAt: null })
  let lostAt: number | null = null
  let attempt = 0
  let pongTimer: ReturnType<typeof setTimeout> | undefined
  let refused = false
  let endWait: (() => void) | undefined

  const socket = createClient({
    // A socket that would be refused again is waited for in vain: whoever gives another key loads the page again.
    url: () => (refused ? new Promise<string>(() => {}) : url),
    connectionParams: () => ({ ...bearer(key) }),
    ...(webSocketImpl ? { webSocketImpl } : {}),
    keepAlive: pingEveryMs,
    connectionAckWaitTimeout: pongWithinMs,
    lazyCloseTimeout: 3_000,
    retryAttempts: Infinity,
    shouldRetry: () => true,
    async retryWait() {
      const waitMs = backoffMs(attempt++)
      state.value = { is: 'waiting', lostAt, retryAt: Date.now() + waitMs }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs)
        endWait = () => (clearTimeout(timer), resolve())
      })
      endWait = undefined
    },
    on: {
      connecting: () => (state.value = { is: 'connecting', lostAt }),
      connected() {
        attempt = 0
        lostAt = null
        state.value = { is: 'open' }
      },
      ping(received) {
        if (!received) pongTimer = setTimeout(() => socket.terminate(), pongWithinMs)
      },
      pong: () => clearTimeout(pongTimer),
      closed(event) {
        clearTimeout(pongTimer)
        if ((event as { code?: number } | undefined)?.code === UNAUTHORIZED) {
          refused = true
          onRefused?.()
        }
        if (state.value.is === 'open') lostAt = Date.now()
        state.value = { is: 'connecting', lostAt }
      },
    },
  })
  const retryNow = () => endWait?.()
  // A laptop that wakes up, or a cable plugged in again, need not sit out the wait.
  globalThis.addEventListener?.('online', retryNow)
  return {
    state,
    socket,
    retryNow,
    close() {
      globalThis.removeEventListener?.('online', retryNow)
      clearTimeout(pongTimer)
      void socket.dispose()
    },
  }
}
