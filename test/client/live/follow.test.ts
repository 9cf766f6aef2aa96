// The client's half of the stream against real sockets: a server of a few lines that says what the test tells it to.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type * as graphql from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { makeApi, type Api } from '../../../client/api/api.ts'
import { MessagesDocument } from '../../../client/api/generated/documents.ts'
import { follow, type Live } from '../../../client/live/follow.ts'
import { foldMessages, type MessagesFrame } from '../../../client/live/fold/messages.ts'
import { makePainter } from '../../../client/live/painter.ts'

// Vite takes another build of graphql than graphql-ws does under Node; a schema of the one is none to the other.
const { buildSchema, GraphQLError } = createRequire(import.meta.url)('graphql') as typeof graphql

type Step =
  { kind: 'SNAPSHOT' | 'DELTA'; cursor: string; previousCursor: string | null; ids: string[] } | 'refuse' | 'end'

let http: Server
let sockets: WebSocketServer
let api: Api
let live: Live<MessagesFrame> | undefined
/** The `after` of each subscription that came in, and how to speak into the newest. */
let asked: (string | null | undefined)[] = []
let say: (...steps: Step[]) => void

beforeEach(async () => {
  asked = []
  const schema = buildSchema(await readFile(new URL('../../../schema.graphql', import.meta.url), 'utf8'))
  http = createServer()
  sockets = new WebSocketServer({ server: http, path: '/graphql' })
  let queue: Step[] = []
  let wake = () => {}
  say = (...steps) => {
    queue.push(...steps)
    wake()
  }
  async function* messages({ after }: { after?: string | null }) {
    asked.push(after)
    queue = []
    for (;;) {
      const step = queue.shift()
      if (!step) await new Promise<void>((resolve) => (wake = resolve))
      else if (step === 'end') return
      else if (step === 'refuse') throw new GraphQLError('No such luck.', { extensions: { code: 'UNAVAILABLE' } })
      else yield { messages: { ...step, messages: step.ids.map(message) } }
    }
  }
  useServer({ schema, roots: { subscription: { messages } } }, sockets)
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const { port } = http.address() as AddressInfo
  api = makeApi(`http://127.0.0.1:${port}/graphql`, { webSocketImpl: WebSocket })
})

afterEach(async () => {
  live?.close()
  live = undefined
  api.close()
  for (const socket of sockets.clients) socket.terminate()
  await new Promise((resolve) => http.close(resolve))
})

const message = (messageId: string) => ({
  ...{ messageId, severity: 'SUCCESS', title: messageId, text: null, channel: null, payload: null },
  createdAt: new Date().toISOString(),
})
const start = () => {
  const painter = makePainter((run) => void setImmediate(run))
  live = follow({ client: api.client, painter }, { document: MessagesDocument, variables: {}, fold: foldMessages })
  return live
}
const ids = () => live?.latest()?.columns.SUCCESS.messages.map((found) => found.messageId)
const subscribed = (times: number) => vi.waitFor(() => expect(asked).toHaveLength(times), 15_000)

it('paints a snapshot and what follows on it', async () => {
  const { frame } = start()
  await subscribed(1)
  say({ kind: 'SNAPSHOT', cursor: '1', previousCursor: null, ids: ['one'] })
  say({ kind: 'DELTA', cursor: '2', previousCursor: '1', ids: ['two'] })
  await vi.waitFor(() => expect(frame.value?.columns.SUCCESS.count).toBe(2))
})

it('goes on after its last cursor when the socket breaks, with nothing lost', async () => {
  start()
  await subscribed(1)
  say({ kind: 'SNAPSHOT', cursor: '1', previousCursor: null, ids: ['one'] })
  say({ kind: 'DELTA', cursor: '2', previousCursor: '1', ids: ['two'] })
  await vi.waitFor(() => expect(ids()).toHaveLength(2))
  for (const socket of sockets.clients) socket.terminate()
  await subscribed(2)
  expect(asked).toEqual([undefined, '2'])
  say({ kind: 'DELTA', cursor: '3', previousCursor: '2', ids: ['three'] })
  await vi.waitFor(() => expect(ids()).toHaveLength(3))
})

it('says that the connection is lost and when it tries again, and is open again afterwards', async () => {
  start()
  await subscribed(1)
  const seen: string[] = []
  const look = setInterval(() => seen.push(api.connection.state.value.is), 5)
  await vi.waitFor(() => expect(api.connection.state.value.is).toBe('open'))
  for (const socket of sockets.clients) socket.terminate()
  await subscribed(2)
  await vi.waitFor(() => expect(api.connection.state.value.is).toBe('open'))
  clearInterval(look)
  expect(seen).toContain('waiting')
})

it('asks for a new snapshot when a delta is missing', async () => {
  start()
  await subscribed(1)
  say({ kind: 'SNAPSHOT', cursor: '1', previousCursor: null, ids: ['one'] })
  say({ kind: 'DELTA', cursor: '3', previousCursor: '2', ids: ['three'] })
  await subscribed(2)
  expect(asked[1]).toBeUndefined()
  say({ kind: 'SNAPSHOT', cursor: '4', previousCursor: null, ids: ['one', 'two', 'three'] })
  await vi.waitFor(() => expect(ids()).toHaveLength(3))
})

it('shows why a stream was refused, asks again by itself, and forgets the fault with the next message', async () => {
  const { fault } = start()
  await subscribed(1)
  say('refuse')
  await vi.waitFor(() => expect(fault.value).toMatchObject({ code: 'UNAVAILABLE', message: 'No such luck.' }))
  await subscribed(2)
  say({ kind: 'SNAPSHOT', cursor: '1', previousCursor: null, ids: ['one'] })
  await vi.waitFor(() => expect(fault.value).toBeNull())
})

it('does not take the end of a stream for silence', async () => {
  const { fault } = start()
  await subscribed(1)
  say('end')
  await vi.waitFor(() => expect(fault.value?.code).toBe('NETWORK'))
  await subscribed(2)
})
