// One port for everything: GraphQL over HTTP, SSE and WebSocket, GraphiQL, the dashboard, health and figures.
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Context as TraceContext, Tracer } from '@opentelemetry/api'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Access } from '../access/access.ts'
import { type Caller, demand } from '../access/callers.ts'
import { isLoopbackHost } from '../access/loopback.ts'
import { type ErrorExtensions, httpStatusOf, LookoutError } from '../errors.ts'
import type { Services } from '../schema/context.ts'
import { makeSchema } from '../schema/schema.ts'
import { makeAddresses } from './address.ts'
import { readBearer } from './bearer.ts'
import { makeBodies } from './body.ts'
import { makeMask } from './failures.ts'
import { makeFiles } from './files.ts'
import { makeGraphiql } from './graphiql.ts'
import { SECURITY_HEADERS } from './headers.ts'
import { readReadiness } from './health.ts'
import { TRANSPORT_LIMITS, type TransportLimits } from './limits.ts'
import { makeOperations, type OperationContext } from './operations.ts'
import { makeOrigins } from './origin.ts'
import { pathOf } from './path.ts'
import { makeRates } from './rate.ts'
import { watchSilent } from './silent.ts'
import { makeSockets } from './sockets.ts'
import type { SseEnd } from './sse.ts'
import { traceRequest } from './traces.ts'

export interface TransportOptions {
  host: string
  /** 0: any free port. */
  port: number
  /** Where the built dashboard is. */
  publicDir: string
  /** Origins of other sites whose pages may call the API. */
  allowedOrigins?: readonly string[]
  /** Addresses of proxies in front, whose word is taken for whom they speak. */
  trustedProxies?: readonly string[]
  /** Names of the migrations without which the server is not ready. */
  migrations?: readonly string[]
  limits?: Partial<TransportLimits>
}

export interface TransportDependencies {
  services: Services
  access: Pick<Access, 'admit'>
  log: Logger
  /** What /metrics tells. */
  registry: Pick<Registry, 'metrics' | 'contentType'>
  /** Told of the close code of each socket. */
  onSocketClosed?: (code: number) => void
  /** Told why each stream of events ended. */
  onSseClosed?: (end: SseEnd) => void
  tracer?: Tracer
}

export interface Transport {
  /** Where it answers, such as "http://127.0.0.1:4000". */
  url: string
  /** Connections that streams may go out on. */
  live(): { sockets: number; sse: number }
  /** Takes nothing new, lets what is under way finish for a while, and tells streams to go on elsewhere. */
  close(): Promise<void>
}

const REQUEST_ID = /^[\w.:-]{1,100}$/

/** Rejects as node:http does where the address is taken (EADDRINUSE). */
export async function startTransport(
  { services, access, log, registry, onSocketClosed, onSseClosed, tracer }: TransportDependencies,
  { host, port, publicDir, allowedOrigins = [], trustedProxies = [], migrations = [], limits: given }: TransportOptions,
): Promise<Transport> {
  const limits = { ...TRANSPORT_LIMITS, ...given }
  const mask = makeMask(log)
  const origins = makeOrigins(allowedOrigins, { isLoopback: isLoopbackHost(host) })
  const addresses = makeAddresses(trustedProxies, limits.livePerAddressMax)
  const rates = makeRates(limits)
  /** Streams of events, and why each will have ended when it has. */
  const streams = new Map<ServerResponse, SseEnd>()
  const onSlow = (response: ServerResponse) => void streams.set(response, 'too_slow')
  const silence = watchSilent(
    {
      streams: () => streams.keys(),
      letGo(stream) {
        streams.set(stream, 'lost')
        stream.destroy()
      },
    },
    { lookMs: limits.silentLookMs, silentMs: limits.silentMs },
  )
  const operations = makeOperations({ schema: makeSchema(), services, mask, tracer, onSlow }, limits)
  const sockets = makeSockets(
    { operations, mask, origins, access, addresses, rates, log, onClosed: onSocketClosed },
    limits,
  )
  const bodies = makeBodies({ assertRoom: () => services.ingest.assertRoom() }, limits)
  const files = makeFiles(publicDir)
  const graphiql = makeGraphiql()
  let closing: Promise<void> | undefined

  const options = { connectionsCheckingInterval: limits.headersMs / 2 }
  const follows = new WeakMap<IncomingMessage, TraceContext>()

  const server = createServer(options, (request, response) => {
    const said = request.headers['x-request-id']
    const requestId = typeof said === 'string' && REQUEST_ID.test(said) ? said : randomUUID()
    response.setHeader('x-request-id', requestId)
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value)
    if (tracer) follows.set(request, traceRequest(tracer, request, response))
    route(request, response, requestId).catch((error: unknown) => answerError(response, error, requestId))
  })
  server.requestTimeout = limits.requestMs
  server.headersTimeout = limits.headersMs
  server.keepAliveTimeout = limits.idleConnectionMs
  server.on('upgrade', (request, socket, head) => sockets.upgrade(request, socket, head))

  async function route(request: IncomingMessage, response: ServerResponse, requestId: string): Promise<void> {
    if (!origins.knowsHost(request)) {
      throw new LookoutError('FORBIDDEN', 'This server is not known by that name; see ALLOWED_ORIGINS.')
    }
    const pathname = pathOf(request)
    if (pathname === undefined) throw new LookoutError('BAD_REQUEST', 'What this request asks for is no address.')
    if (pathname === '/graphql') return graphql(request, response, requestId)
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD')
      throw new LookoutError('BAD_REQUEST', 'Only GET and HEAD are known here.', { httpStatus: 405 })
    }
    if (pathname === '/health') return answerJson(response, 200, { status: 'ok' })
    if (pathname === '/ready') {
      const readiness = await readReadiness(services, migrations)
      return answerJson(response, readiness.ready ? 200 : 503, readiness)
    }
    if (pathname === '/metrics') {
      demand(await admit(request), 'admin')
      return answerText(response, 200, registry.contentType, await registry.metrics())
    }
    return files.serve(request, response, pathname)
  }

  async function admit(request: IncomingMessage): Promise<Caller> {
    const caller = await access.admit(readBearer(request.headers))
    rates.count(caller)
    return caller
  }

  async function graphql(request: IncomingMessage, response: ServerResponse, requestId: string): Promise<void> {
    if (!origins.allows(request)) {
      throw new LookoutError('FORBIDDEN', 'Pages of this origin may not call the API; see ALLOWED_ORIGINS.')
    }
    for (const [name, value] of Object.entries(origins.headers(request))) response.setHeader(name, value)
    if (request.method === 'OPTIONS') {
      response.writeHead(204).end()
      return
    }
    if (graphiql.isAskedFor(request)) return graphiql.serve(request, response)
    const caller = await admit(request)
    if (request.method === 'POST') {
      // Yoga takes a body that has been read already as it is.
      Object.assign(request, { body: await bodies.read(request) })
    }
    if ((request.headers.accept ?? '').includes('text/event-stream')) follow(request, response, { requestId, caller })
    await operations.handle(request, response, { requestId, caller, traceContext: follows.get(request) })
  }

  /** A stream takes one of the places of its address, and ends with the server or with its caller's key. */
  function follow(request: IncomingMessage, response: ServerResponse, { requestId, caller }: OperationContext): void {
    const leave = addresses.enter(addresses.of(request))
    if (!leave) {
      const message = `An address has up to ${limits.livePerAddressMax} live connections.`
      throw new LookoutError('RATE_LIMITED', message, { retryAfterMs: 5_000 })
    }
    const forget = caller.onEnd(() => {
      streams.set(response, 'unauthenticated')
      const ended = mask.error(new LookoutError('UNAUTHENTICATED', 'The API key has ended.'), requestId)
      const last = `event: next\ndata: ${JSON.stringify({ errors: [ended] })}\n\n`
      if (response.headersSent) response.write(last, () => response.destroy())
      else response.destroy()
    })
    streams.set(response, 'client')
    response.once('close', () => {
      onSseClosed?.(response.writableFinished ? 'complete' : streams.get(response)!)
      streams.delete(response)
      forget()
      leave()
    })
  }

  /** Failures in front of GraphQL, in the shape of GraphQL's own. */
  function answerError(response: ServerResponse, error: unknown, requestId: string): void {
    const masked = mask.error(error, requestId)
    if (response.headersSent) {
      response.destroy()
      return
    }
    const { httpStatus, ...extensions } = masked.extensions as unknown as ErrorExtensions & { httpStatus?: number }
    const { code, retryAfterMs } = extensions
    if (code === 'UNAUTHENTICATED') response.setHeader('www-authenticate', 'Bearer')
    if (retryAfterMs) response.setHeader('retry-after', Math.ceil(retryAfterMs / 1000))
    // A body that was not read to its end would be taken for the next request.
    if (!response.req.complete) response.setHeader('connection', 'close')
    answerJson(response, httpStatus ?? httpStatusOf(code), { errors: [{ message: masked.message, extensions }] })
  }

  function answerJson(response: ServerResponse, status: number, body: object): void {
    answerText(response, status, 'application/json; charset=utf-8', `${JSON.stringify(body)}\n`)
  }

  function answerText(response: ServerResponse, status: number, type: string, text: string): void {
    response.writeHead(status, {
      'content-type': type,
      'cache-control': 'no-store',
      'content-length': Buffer.byteLength(text),
    })
    response.end(response.req.method === 'HEAD' ? undefined : text)
  }

  async function close(): Promise<void> {
    silence.close()
    const ended = new Promise<void>((resolve) => server.close(() => resolve()))
    // A stream has no end of its own; its client goes on elsewhere with the cursor it has.
    for (const stream of streams.keys()) {
      streams.set(stream, 'going_away')
      stream.destroy()
    }
    server.closeIdleConnections()
    const timer = setTimeout(() => server.closeAllConnections(), limits.drainMs)
    await Promise.all([ended, sockets.close(limits.drainMs)])
    clearTimeout(timer)
    await operations.dispose()
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    // Node's own backlog of 511 makes most of a storm of returning clients wait for their second try, and their sixth.
    server.listen({ port, host, backlog: limits.socketsMax }, () => {
      server.off('error', reject)
      resolve()
    })
  })
  server.on('error', (error) => log.error({ err: error }, 'the HTTP server failed'))

  const { port: bound } = server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    live: () => ({ sockets: sockets.count(), sse: streams.size }),
    close: () => (closing ??= close()),
  }
}
