// graphql-ws on ws: the same operations as over HTTP, many on one socket. What fails in one leaves the others alone.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { GraphQLError } from 'graphql'
import { CloseCode, handleProtocols, makeServer, type ServerOptions, type SubscribePayload } from 'graphql-ws'
import type { Logger } from 'pino'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Access } from '../access/access.ts'
import type { Caller } from '../access/callers.ts'
import { LookoutError } from '../errors.ts'
import { isStream, type Stream } from '../outlet.ts'
import type { Addresses } from './address.ts'
import { readBearer } from './bearer.ts'
import type { Mask, Result } from './failures.ts'
import type { TransportLimits } from './limits.ts'
import type { OperationContext, Operations } from './operations.ts'
import type { Origins } from './origin.ts'
import { makeOutflow, type Outflow } from './outflow.ts'
import { pathOf } from './path.ts'
import { pourOut } from './pourOut.ts'
import type { Rates } from './rate.ts'
import { SharedResult, textOf } from './shared.ts'

/** Lookout's own close code: the client does not take what it asked for. */
export const TOO_SLOW = 4013

const GOING_AWAY = 1001

/** Of what went wrong for a while: come back later. */
const TRY_AGAIN_LATER = 1013

export interface Sockets {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  count(): number
  /** Tells every client to come back elsewhere, and cuts off those that do not leave. */
  close(graceMs: number): Promise<void>
}

const RETRY_AFTER = 'Retry-After: 5\r\n'

/** Yoga's own execute and subscribe, made for each operation; they travel in its context. */
type Runners = Pick<ReturnType<Operations['getEnveloped']>, 'execute' | 'subscribe'>

interface Extra {
  request: IncomingMessage
  socket: WebSocket
  outflow: Outflow
  /** Known once the connection is initialised. */
  caller?: Caller
}

export interface SocketsDependencies {
  operations: Operations
  mask: Mask
  origins: Origins
  access: Pick<Access, 'admit'>
  addresses: Addresses
  rates: Rates
  log: Logger
  /** Told of each socket's close code. */
  onClosed?: (code: number) => void
}

const bytesOf = (result: Result): Buffer => Buffer.from(`${textOf(result)}}`)

export function makeSockets(
  { operations, mask, origins, access, addresses, rates, log, onClosed }: SocketsDependencies,
  limits: TransportLimits,
): Sockets {
  const acceptor = new WebSocketServer({
    noServer: true,
    maxPayload: limits.messageBytesMax,
    handleProtocols,
    // Compressing each message anew for each socket costs more than the bytes it saves.
    perMessageDeflate: false,
  })
  const requestIds = new WeakMap<SubscribePayload, string>()
  /** Why sockets were let go, which a client that reads nothing does not confirm. */
  const ownCodes = new WeakMap<WebSocket, number>()
  const idOf = (payload: SubscribePayload) => requestIds.get(payload) ?? ''

  const options: ServerOptions<Record<string, unknown>, Extra> = {
    connectionInitWaitTimeout: limits.socketInitMs,
    execute: (args) => guard(() => (args.contextValue as Runners).execute(args)),
    subscribe: (args) => guard(() => (args.contextValue as Runners).subscribe(args)),
    async onConnect({ connectionParams, extra }) {
      const { socket, request } = extra
      try {
        const caller = await access.admit(readBearer({ ...request.headers, ...connectionParams }))
        const forget = caller.onEnd(() => letGo(socket, CloseCode.Unauthorized, 'The API key has ended.'))
        socket.once('close', forget)
        extra.caller = caller
        return true
      } catch (error) {
        const { message, extensions } = mask.error(error, randomUUID())
        const isRefused = extensions.code === 'UNAUTHENTICATED'
        letGo(socket, isRefused ? CloseCode.Unauthorized : TRY_AGAIN_LATER, message)
        return false
      }
    },
    async onSubscribe({ extra, subscriptions }, _id, payload) {
      const requestId = randomUUID()
      requestIds.set(payload, requestId)
      try {
        if (!extra.caller) throw new LookoutError('UNAUTHENTICATED', 'The connection is not initialised.')
        rates.count(extra.caller)
        if (Object.keys(subscriptions).length > limits.operationsPerSocketMax) {
          throw new LookoutError('OVERLOADED', `A socket carries up to ${limits.operationsPerSocketMax} operations.`)
        }
        return await prepare(extra.request, payload, { requestId, caller: extra.caller })
      } catch (error) {
        return [
          error instanceof GraphQLError ? error : new GraphQLError(String(error), { originalError: error as Error }),
        ]
      }
    },
    onNext: (_context, _id, payload, _args, result) => mask.result(result as Result, idOf(payload)) as never,
    onError: (_context, _id, payload, errors) => errors.map((error) => mask.error(error, idOf(payload)).toJSON()),
    // Streams are poured out past graphql-ws, which would make each message anew for each operation and wait in between.
    onOperation: ({ extra }, id, payload, _args, result) =>
      isStream(result)
        ? pourOut(result as unknown as Stream<Result>, extra.outflow, {
            id,
            tailOf: (each) => tailOf(each, payload),
          })
        : undefined,
  }

  /** A result as the end of a message: made once, whoever is sent it. */
  function tailOf(result: Result, payload: SubscribePayload): Buffer {
    if (result instanceof SharedResult) return (result.tail ??= bytesOf(result))
    return bytesOf(mask.result(result, idOf(payload)))
  }

  async function prepare(request: IncomingMessage, payload: SubscribePayload, context: OperationContext) {
    const { schema, execute, subscribe, contextFactory, parse, validate } = operations.getEnveloped({
      ...context,
      req: request,
      params: payload,
    })
    const document = parse(payload.query)
    const errors = validate(schema, document)
    if (errors.length > 0) return errors as readonly GraphQLError[]
    const contextValue = Object.assign(await contextFactory(), { execute, subscribe })
    const { operationName, variables: variableValues } = payload
    return { schema, document, operationName, variableValues, contextValue }
  }

  /** An operation that throws instead of answering would take its socket along. */
  async function guard<T>(run: () => T | Promise<T>): Promise<T> {
    try {
      return await run()
    } catch (error) {
      return { errors: [error] } as T
    }
  }

  const server = makeServer(options)

  acceptor.on('connection', (socket: WebSocket, request: IncomingMessage, connection: Duplex) => {
    // Broken frames and messages that are too large: ws closes the socket with the code for it.
    socket.on('error', (error) => log.debug({ err: error }, 'a socket broke'))
    const outflow = makeOutflow({ socket, connection, onSlow: () => letGoSlow(socket) }, limits)
    // Whoever reads nothing does not read a ping either.
    const onSilent = () => (outflow.hasRoom() ? socket.terminate() : letGoSlow(socket))
    const stopPinging = ping(socket, limits.socketPingMs, onSilent)
    const closed = server.opened(
      {
        protocol: socket.protocol,
        send: (text) => outflow.send(text),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (take) =>
          socket.on('message', (data) => {
            take(String(data)).catch((error: Error) => {
              // A message that only a server sends: graphql-ws throws where it closes for all else that is no protocol.
              if (error.message.startsWith('Unexpected message')) {
                return socket.close(CloseCode.BadRequest, 'Invalid message received')
              }
              log.error({ err: error }, 'a message on a socket could not be handled')
              socket.close(CloseCode.InternalServerError, 'Internal server error')
            })
          }),
      },
      { request, socket, outflow },
    )
    socket.once('close', (code, reason) => {
      onClosed?.(ownCodes.get(socket) ?? code)
      stopPinging()
      outflow.close()
      closed(code, String(reason)).catch((error: unknown) =>
        log.error({ err: error }, 'a socket could not be cleaned up'),
      )
    })
  })

  function letGoSlow(socket: WebSocket): void {
    log.info({ bufferedBytes: socket.bufferedAmount }, 'a socket that takes no messages is closed')
    letGo(socket, TOO_SLOW, 'Too slow')
  }

  function letGo(socket: WebSocket, code: number, reason: string): void {
    ownCodes.set(socket, code)
    socket.close(code, reason)
    // Whoever reads nothing does not read the close frame either.
    setTimeout(() => socket.terminate(), 1000).unref()
  }

  function refuse(socket: Duplex, status: string, headers = ''): void {
    socket.on('error', () => undefined)
    socket.end(`HTTP/1.1 ${status}\r\n${headers}Connection: close\r\nContent-Length: 0\r\n\r\n`)
  }

  return {
    upgrade(request, socket, head) {
      if (pathOf(request) !== '/graphql') return refuse(socket, '404 Not Found')
      if (!origins.knowsHost(request) || !origins.allows(request)) return refuse(socket, '403 Forbidden')
      if (acceptor.clients.size >= limits.socketsMax) return refuse(socket, '503 Service Unavailable', RETRY_AFTER)
      const leave = addresses.enter(addresses.of(request))
      if (!leave) return refuse(socket, '429 Too Many Requests', RETRY_AFTER)
      socket.once('close', leave)
      acceptor.handleUpgrade(request, socket, head, (accepted) =>
        acceptor.emit('connection', accepted, request, socket),
      )
    },
    count: () => acceptor.clients.size,
    async close(graceMs) {
      const gone = [...acceptor.clients].map((client) => new Promise((resolve) => client.once('close', resolve)))
      for (const client of acceptor.clients) client.close(GOING_AWAY, 'Going away')
      const timer = setTimeout(() => acceptor.clients.forEach((client) => client.terminate()), graceMs)
      await Promise.all(gone)
      clearTimeout(timer)
      acceptor.close()
    },
  }
}

/** Finds a socket whose other end is gone without a word. Returns how to stop. */
function ping(socket: WebSocket, everyMs: number, onSilent: () => void): () => void {
  let answered = true
  socket.on('pong', () => (answered = true))
  const timer = setInterval(() => {
    if (!answered) return onSilent()
    answered = false
    socket.ping()
  }, everyMs)
  return () => clearInterval(timer)
}
