// What fan-out is held against, each in a process of its own: a bare ws server that sends the same text to everyone, and a
// server as the documentation of Yoga and graphql-ws makes it, with its pubsub. Run by fork() with its name and the payload.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { useServer } from 'graphql-ws/use/ws'
import { createPubSub, createSchema, createYoga } from 'graphql-yoga'
import { WebSocketServer } from 'ws'

export interface Broadcasting {
  kind: 'bare' | 'stock'
  everyMs: number
  /** What `Subscription.stats` answers. */
  update: Record<string, unknown>
  /** Types of the update, for the schema. */
  typeDefs: string
}

type Runners = Pick<ReturnType<ReturnType<typeof createYoga>['getEnveloped']>, 'execute' | 'subscribe'>

function startBare({ update, everyMs }: Broadcasting) {
  const http = createServer()
  const sockets = new WebSocketServer({
    server: http,
    perMessageDeflate: false,
    handleProtocols: () => 'graphql-transport-ws',
  })
  setInterval(() => {
    const text = JSON.stringify({
      id: 'ffffffff-ffff-ffff-ffff-ffffffffffff',
      type: 'next',
      payload: {
        data: { stats: { ...update, at: new Date() } },
      },
    })
    for (const socket of sockets.clients) socket.send(text)
  }, everyMs)
  return http
}

function startStock({ update, everyMs, typeDefs }: Broadcasting) {
  const pubSub = createPubSub<{ stats: [object] }>()
  const yoga = createYoga({
    schema: createSchema({
      typeDefs,
      resolvers: {
        Subscription: {
          stats: { subscribe: () => pubSub.subscribe('stats'), resolve: (payload: unknown) => payload },
        },
      },
    }),
  })
  const http = createServer(yoga)
  const sockets = new WebSocketServer({ server: http, path: yoga.graphqlEndpoint })
  // As in Yoga's documentation.
  useServer(
    {
      execute: (args) => (args.rootValue as Runners).execute(args),
      subscribe: (args) => (args.rootValue as Runners).subscribe(args),
      onSubscribe: async (context, _id, params) => {
        const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
          ...context,
          req: context.extra.request,
          socket: context.extra.socket,
          params,
        })
        const args = {
          schema,
          operationName: params.operationName,
          document: parse(params.query),
          variableValues: params.variables,
          contextValue: await contextFactory(),
          rootValue: { execute, subscribe },
        }
        const errors = validate(args.schema, args.document)
        if (errors.length) return errors as never
        return args
      },
    },
    sockets,
  )
  setInterval(() => pubSub.publish('stats', { ...update, at: new Date().toISOString() }), everyMs)
  return http
}

process.once('message', (message: Broadcasting) => {
  const http = message.kind === 'bare' ? startBare(message) : startStock(message)
  http.listen(0, '127.0.0.1', () => process.send!({ port: (http.address() as AddressInfo).port }))
})
process.once('disconnect', () => process.exit(0))
