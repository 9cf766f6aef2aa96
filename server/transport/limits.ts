// What a caller may ask of the transport, with the unit of each limit in its name.

export interface TransportLimits {
  /** Of an HTTP request. */
  bodyBytesMax: number
  /** Of all bodies that are being received; beyond it those that bring rows are answered OVERLOADED. */
  bodiesBytesMax: number
  /** Of a message coming in on a socket. */
  messageBytesMax: number
  /** Words and signs of a GraphQL document. */
  tokensMax: number
  /** Levels of brackets inside each other in a document. */
  nestingMax: number
  /** Levels of fields below the operation, introspection aside. */
  depthMax: number
  /** Aliased fields, fragments expanded. */
  aliasesMax: number
  /** Points of a query or subscription: a field costs 1 or what it says, a list its length times what is below it. */
  complexityMax: number
  socketsMax: number
  /** Sockets and SSE streams of one address; this machine's own is not limited. */
  livePerAddressMax: number
  /** Calls of one key, over HTTP and on sockets together. */
  callsPerSecondMax: number
  /** Calls of one key after a pause, before `callsPerSecondMax` holds. */
  callsAtOnceMax: number
  /** Operations running on one socket. */
  operationsPerSocketMax: number
  /** A socket must say what it wants within this time. */
  socketInitMs: number
  /** A socket that does not answer a ping within this time is closed, with 4013 where messages wait for it. */
  socketPingMs: number
  /** A socket that does not take a message within this time is closed with 4013. */
  socketSendMs: number
  /** A stream of events on whose connection nothing was acknowledged for so long is ended, and how often that is looked for. Linux alone. */
  silentMs: number
  silentLookMs: number
  /** A request must have come whole within these, its headers and all of it. */
  headersMs: number
  requestMs: number
  idleConnectionMs: number
  /** What is under way when the server closes may take this long. */
  drainMs: number
}

export const TRANSPORT_LIMITS: TransportLimits = {
  bodyBytesMax: 8 * 1024 * 1024,
  bodiesBytesMax: 128 * 1024 * 1024,
  messageBytesMax: 256 * 1024,
  tokensMax: 10_000,
  nestingMax: 200,
  depthMax: 12,
  aliasesMax: 30,
  complexityMax: 50_000,
  socketsMax: 25_000,
  livePerAddressMax: 1_000,
  callsPerSecondMax: 1_000,
  callsAtOnceMax: 10_000,
  operationsPerSocketMax: 200,
  socketInitMs: 10_000,
  socketPingMs: 12_000,
  socketSendMs: 30_000,
  silentMs: 9_000,
  silentLookMs: 5_000,
  headersMs: 10_000,
  requestMs: 60_000,
  idleConnectionMs: 65_000,
  drainMs: 3_000,
}
