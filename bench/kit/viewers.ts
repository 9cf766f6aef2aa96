// Many live viewers in a process of their own, as light as can be, so that the machine's time is the server's: each is a plain
// TCP connection that speaks just enough WebSocket and graphql-transport-ws. They check that no message is missing, and note how
// long after its commit each came. Run by fork(): see startViewers in streams.ts.
import { randomBytes, randomUUID } from 'node:crypto'
import { connect, type Socket } from 'node:net'

export interface Operation {
  query: string
  variables?: object
}

export interface ViewersOptions {
  port: number
  count: number
  /** Subscriptions; they take turns. Left out: they listen, and subscribe to nothing. */
  operations?: Operation[]
  /** How many of them each viewer has on its socket, one after the other in turn; 1 unless given. */
  each?: number
  /** Connections made at a time. */
  atOnce: number
  /** They ask, and take nothing of the answers. */
  deaf?: boolean
}

/** Sent when all have had their first message, and whenever asked; counts are since the last `reset`. */
export interface ViewersReport {
  viewers: number
  messages: number
  /** Of them those that were the whole again. */
  snapshots: number
  /** Messages that did not follow the one before. */
  lost: number
  /** Connections that ended. */
  ended: number
  bytes: number
  /** From commit to here, of messages that tell of a commit. */
  latenciesMs: number[]
}

const PONG = 0x8a
const TEXT = 0x81

/** A frame as a client sends it: masked with zeros, which leaves the text as it is. */
function frame(opcode: number, text: string | Buffer): Buffer {
  const body = Buffer.from(text)
  const head =
    body.length < 126
      ? Buffer.from([opcode, 0x80 | body.length, 0, 0, 0, 0])
      : Buffer.from([opcode, 0x80 | 126, body.length >> 8, body.length & 255, 0, 0, 0, 0])
  return Buffer.concat([head, body])
}

let report: ViewersReport

function reset(viewers: number): void {
  report = { viewers, messages: 0, snapshots: 0, lost: 0, ended: 0, bytes: 0, latenciesMs: [] }
}

/** The string after `"name":`, which the server writes without escapes. */
function fieldOf(text: string, name: string): string | undefined {
  const start = text.indexOf(`"${name}":"`)
  if (start < 0) return undefined
  const from = start + name.length + 4
  return text.slice(from, text.indexOf('"', from))
}

interface Viewer {
  /** Connects, and goes on with its streams where it stood; resolves when each has had a message, or the connection has ended. */
  connect(): Promise<void>
  cut(): void
}

function makeViewer({ port, operations = [], each = 1, deaf }: ViewersOptions, index: number): Viewer {
  const asked = Array.from(operations.length > 0 ? { length: each } : [], (_, i) => ({
    id: randomUUID() as string,
    payload: operations[(index * each + i) % operations.length]!,
  }))
  const cursors = new Map<string, string | undefined>()
  let socket: Socket | undefined

  function subscribe(): void {
    for (const { id, payload } of asked) {
      const variables = { ...payload.variables, after: cursors.get(id) }
      socket?.write(frame(TEXT, JSON.stringify({ id, type: 'subscribe', payload: { ...payload, variables } })))
    }
  }

  /** Answers which stream it was a message of. */
  function take(payload: Buffer): string | undefined {
    report.bytes += payload.length
    const text = payload.toString('latin1')
    if (text.includes('"connection_ack"')) {
      subscribe()
      return undefined
    }
    if (text.includes('"type":"error"') || text.includes('"errors":[')) throw new Error(text)
    const committed = fieldOf(text, 'committedAt')
    const previous = fieldOf(text, 'previousCursor')
    const id = fieldOf(text, 'id')!
    if (cursors.has(id)) {
      report.messages++
      if (previous === undefined) report.snapshots++
      if (committed) report.latenciesMs.push(Date.now() - Date.parse(committed))
      if (previous !== undefined && previous !== cursors.get(id)) report.lost++
    }
    cursors.set(id, fieldOf(text, 'cursor'))
    return id
  }

  function connectOnce(ready: () => void): Socket {
    const here = connect(port, '127.0.0.1')
    const due = new Set(asked.map(({ id }) => id))
    let held: Buffer = Buffer.alloc(0)
    let open = false

    here.setNoDelay(true)
    here.on('error', () => undefined)
    here.once('close', () => {
      if (here === socket) report.ended++
      ready()
    })
    here.write(
      `GET /graphql HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n` +
        `Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n`,
    )

    here.on('data', (chunk: Buffer) => {
      let data: Buffer = held.length > 0 ? Buffer.concat([held, chunk]) : chunk
      if (!open) {
        const end = data.indexOf('\r\n\r\n')
        if (end < 0) return void (held = data)
        if (!data.toString('latin1', 0, 16).includes(' 101')) throw new Error(data.toString('latin1', 0, end))
        open = true
        data = data.subarray(end + 4)
        if (asked.length > 0) here.write(frame(TEXT, '{"type":"connection_init"}'))
        else ready()
      }
      while (data.length >= 2) {
        const short = data[1]! & 127
        const start = short < 126 ? 2 : short === 126 ? 4 : 10
        if (data.length < start) break
        const length = short < 126 ? short : short === 126 ? data.readUInt16BE(2) : Number(data.readBigUInt64BE(2))
        if (data.length < start + length) break
        const payload = data.subarray(start, start + length)
        const opcode = data[0]! & 15
        if (opcode === 9) here.write(frame(PONG, payload))
        else if (opcode === 1) {
          const id = take(payload)
          if (deaf) {
            here.pause()
            return ready()
          }
          if (id !== undefined && due.delete(id) && due.size === 0) ready()
        }
        data = data.subarray(start + length)
      }
      held = data.length > 0 ? Buffer.from(data) : data
    })
    return here
  }

  return {
    connect: () => new Promise((resolve) => (socket = connectOnce(resolve))),
    cut() {
      const cut = socket
      socket = undefined
      cut?.destroy()
    },
  }
}

let viewers: Viewer[] = []

async function open(options: ViewersOptions): Promise<void> {
  reset(options.count)
  viewers = Array.from({ length: options.count }, (_, index) => makeViewer(options, index))
  // They share one list of those that are left.
  const left = viewers.values()
  const opener = async () => {
    for (const viewer of left) await viewer.connect()
  }
  await Promise.all(Array.from({ length: options.atOnce }, opener))
}

/** Cuts all connections, and makes them all anew at the same moment; resolves with how long each took to be told on, in ms. */
async function cut(): Promise<number[]> {
  for (const viewer of viewers) viewer.cut()
  const began = performance.now()
  return Promise.all(viewers.map((viewer) => viewer.connect().then(() => performance.now() - began)))
}

type Order = { open: ViewersOptions } | 'report' | 'reset' | 'cut'

process.on('message', (order: Order) => {
  if (order === 'reset') {
    reset(report.viewers)
    process.send!('reset')
  } else if (order === 'report') process.send!({ report })
  else if (order === 'cut') void cut().then((servedMs) => process.send!({ servedMs }))
  else void open(order.open).then(() => process.send!('ready'))
})
process.once('disconnect', () => process.exit(0))
