// The page's one way to the server: urql for questions, its subscriptions over one graphql-ws socket that resumes by cursor.
import {
  Client,
  fetchExchange,
  subscriptionExchange,
  type ExecutionResult,
  type SubscriptionForwarder,
} from '@urql/core'
import type { Client as Socket } from 'graphql-ws'
import { bearer } from './session.ts'
import { makeConnection, type Connection, type ConnectionOptions } from './connection.ts'

export interface Api {
  readonly client: Client
  readonly connection: Connection
  close(): void
}

/** `url`: of the GraphQL endpoint, http: or https:; the socket uses the same address. */
export function makeApi(url: string, options: ConnectionOptions = {}): Api {
  const connection = makeConnection(url.replace(/^http/, 'ws'), options)
  const client = new Client({
    url,
    preferGetMethod: false,
    fetchOptions: () => ({ headers: { ...bearer(options.key ?? null) } }),
    requestPolicy: 'network-only',
    exchanges: [subscriptionExchange({ forwardSubscription: forwardOn(connection.socket) }), fetchExchange],
  })
  return { client, connection, close: () => connection.close() }
}

/**
 * graphql-ws subscribes again with the payload it was given, so the payload is kept up to date: `after` is always the
 * cursor of the message last seen, and a new socket goes on where the old one broke.
 */
const forwardOn =
  (socket: Socket): SubscriptionForwarder =>
  ({ query, variables }) => {
    const payload = { query: query ?? '', variables: { ...variables } as Record<string, unknown> }
    return {
      subscribe: (sink) => ({
        unsubscribe: socket.subscribe(payload, {
          next(result) {
            const cursor = Object.values((result.data ?? {}) as Record<string, { cursor?: string } | null>)[0]?.cursor
            if (cursor) payload.variables.after = cursor
            sink.next(result as ExecutionResult)
          },
          error: (error) => sink.error(error),
          // Nobody asked the server to end it, so an end is a fault like any other: who follows the stream tries again.
          complete: () => sink.error(new Error('The server ended the stream.')),
        }),
      }),
    }
  }
