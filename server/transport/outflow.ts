// All that goes out on one socket. Frames are written straight to the connection, because the greater part of a message is
// the same bytes for everyone; ws writes its own frames whole and at once too, so the two never mix. A socket that is full takes
// nothing more until it has drained, and one that stays full for too long is let go.
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'

export interface Outflow {
  hasRoom(): boolean
  /** Calls once, when there is room again. */
  onRoom(call: () => void): void
  /** Sends a message of two halves. */
  push(head: Buffer, tail: Buffer): void
  /** Sends a message of its own; resolves when there is room for another. */
  send(text: string): Promise<void>
  close(): void
}

const FINAL_TEXT = 0x81
/** Up to here one copy is cheaper than telling the kernel of two buffers. */
const COPIED_BYTES_MAX = 4096

interface OutflowDependencies {
  socket: WebSocket
  connection: Duplex
  onSlow: () => void
}

export const makeOutflow = (dependencies: OutflowDependencies, limits: { socketSendMs: number }): Outflow =>
  new SocketOutflow(dependencies, limits)

class SocketOutflow implements Outflow {
  readonly #socket: WebSocket
  readonly #connection: Duplex
  readonly #onSlow: () => void
  readonly #socketSendMs: number
  #waiting: (() => void)[] = []
  #slow: NodeJS.Timeout | undefined

  constructor({ socket, connection, onSlow }: OutflowDependencies, { socketSendMs }: { socketSendMs: number }) {
    this.#socket = socket
    this.#connection = connection
    this.#onSlow = onSlow
    this.#socketSendMs = socketSendMs
    connection.on('drain', () => {
      clearTimeout(this.#slow)
      this.#slow = undefined
      this.#callWaiting()
    })
  }

  hasRoom(): boolean {
    return !this.#connection.writableNeedDrain
  }

  onRoom(call: () => void): void {
    this.#waiting.push(call)
  }

  push(head: Buffer, tail: Buffer): void {
    if (!this.#isOpen()) return
    const connection = this.#connection
    if (tail.length <= COPIED_BYTES_MAX) {
      if (!connection.write(frameOf(head, tail.length, tail))) this.#watch()
    } else {
      connection.cork()
      connection.write(frameOf(head, tail.length))
      connection.write(tail)
      connection.uncork()
      this.#watch()
    }
  }

  async send(text: string): Promise<void> {
    if (!this.#isOpen()) return
    this.#socket.send(text)
    this.#watch()
    if (!this.hasRoom()) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  close(): void {
    clearTimeout(this.#slow)
    this.#callWaiting()
  }

  #isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN
  }

  #callWaiting(): void {
    const due = this.#waiting
    this.#waiting = []
    for (const call of due) call()
  }

  #watch(): void {
    if (!this.hasRoom()) this.#slow ??= setTimeout(this.#onSlow, this.#socketSendMs)
  }
}

/** The start of a frame up to the end of `head`, or all of it with `tail`. As RFC 6455 says, unmasked, in one piece. */
function frameOf(head: Buffer, tailBytes: number, tail?: Buffer): Buffer {
  const bytes = head.length + tailBytes
  const start = bytes < 126 ? 2 : bytes < 65_536 ? 4 : 10
  const frame = Buffer.allocUnsafe(start + head.length + (tail?.length ?? 0))
  frame[0] = FINAL_TEXT
  if (start === 2) frame[1] = bytes
  else if (start === 4) {
    frame[1] = 126
    frame.writeUInt16BE(bytes, 2)
  } else {
    frame[1] = 127
    frame.writeBigUInt64BE(BigInt(bytes), 2)
  }
  head.copy(frame, start)
  tail?.copy(frame, start + head.length)
  return frame
}
