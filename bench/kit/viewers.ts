// Many live viewers in a process of their own, as light as can be, so that the machine's time is the server's: each is a plain
// TCP connection that speaks just enough WebSocket and graphql-transport-ws. They check that no message is missing, and note how
// long after its commit each came. Run by fork(): see startViewers in streams.ts.
import { randomBytes, randomUUID } from 'node:crypto'
import { connect, type Socket } from 'node:net'

export interface ViewersOptions {
  port: number
  count: number
  /** Subscriptions; they take turns. Left out: they listen, and subscribe to nothing. */
  operations?: { query: string; variables?: object }[]
  /** How many of them each viewer has on its socket, one after the other in turn; 1 unless given. */
  each?: number
  /** Connections made at a time. */
  atOnce: number
}

/** Sent when all have had their first message, and whenever asked; counts are since the last `reset`. */
export interface ViewersReport {
  viewers: number
  messages: number
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
  report = { viewers, messages: 0, lost: 0, ended: 0, bytes: 0, latenciesMs: [] }
}

/** The string after `"name":`, which the server writes without escapes. */
function fieldOf(text: string, name: string): string | undefined {
  const start = text.indexOf(`"${name}":"`)
  if (start < 0) return undefined
  const from = start + name.length + 4
  return text.slice(from, text.indexOf('"', from))
}

function watch(
  { port, operations = [], each = 1 }: ViewersOptions,
  index: number,
  hooks: { ready: () => void; ended: () => void },
): Socket {
  const socket = connect(port, '127.0.0.1')
  const asked = Array.from(
    operations.length > 0 ? { length: each } : [],
    (_, i) => operations[(index * each + i) % operations.length]!,
  )
  const cursors = new Map<string, string | undefined>()
  let held: Buffer = Buffer.alloc(0)
  let open = false

  socket.setNoDelay(true)
  socket.on('error', () => undefined)
  socket.once('close', hooks.ended)
  socket.write(
    `GET /graphql HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n` +
      `Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n`,
  )

  function take(payload: Buffer): void {
    report.bytes += payload.length
    const text = payload.toString('latin1')
    if (text.includes('"connection_ack"')) {
      for (const payload of asked)
        socket.write(frame(TEXT, JSON.stringify({ id: randomUUID(), type: 'subscribe', payload })))
      return
    }
    if (text.includes('"type":"error"') || text.includes('"errors":[')) throw new Error(text)
    const committed = fieldOf(text, 'committedAt')
    const previous = fieldOf(text, 'previousCursor')
    const id = fieldOf(text, 'id')!
    if (cursors.has(id)) {
      report.messages++
      if (committed) report.latenciesMs.push(Date.now() - Date.parse(committed))
      if (previous !== undefined && previous !== cursors.get(id)) report.lost++
    }
    cursors.set(id, fieldOf(text, 'cursor'))
    if (cursors.size === asked.length) hooks.ready()
  }

  socket.on('data', (chunk: Buffer) => {
    let data: Buffer = held.length > 0 ? Buffer.concat([held, chunk]) : chunk
    if (!open) {
      const end = data.indexOf('\r\n\r\n')
      if (end < 0) return void (held = data)
      if (!data.toString('latin1', 0, 16).includes(' 101')) throw new Error(data.toString('latin1', 0, end))
      open = true
      data = data.subarray(end + 4)
      if (asked.length > 0) socket.write(frame(TEXT, '{"type":"connection_init"}'))
      else hooks.ready()
    }
    while (data.length >= 2) {
      const short = data[1]! & 127
      const start = short < 126 ? 2 : short === 126 ? 4 : 10
      if (data.length < start) break
      const length = short < 126 ? short : short === 126 ? data.readUInt16BE(2) : Number(data.readBigUInt64BE(2))
      if (data.length < start + length) break
      const payload = data.subarray(start, start + length)
      const opcode = data[0]! & 15
      if (opcode === 9) socket.write(frame(PONG, payload))
      else if (opcode === 1) take(payload)
      data = data.subarray(start + length)
    }
    held = data.length > 0 ? Buffer.from(data) : data
  })
  return socket
}

async function open(options: ViewersOptions): Promise<void> {
  reset(options.count)
  let next = 0
  const opener = async () => {
    while (next < options.count) {
      const index = next++
      await new Promise<void>((resolve) => {
        watch(options, index, {
          ready: resolve,
          ended() {
            report.ended++
            resolve()
          },
        })
      })
    }
  }
  await Promise.all(Array.from({ length: options.atOnce }, opener))
}

process.on('message', (message: { open: ViewersOptions } | 'report' | 'reset') => {
  if (message === 'reset') {
    reset(report.viewers)
    process.send!('reset')
  } else if (message === 'report') process.send!({ report })
  else void open(message.open).then(() => process.send!('ready'))
})
process.once('disconnect', () => process.exit(0))
