// Streams as server-sent events, in graphql-sse's distinct-connections mode. The bytes of an event are made once for all who are
// sent it; who takes none for a while is let go.
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { Plugin } from 'graphql-yoga'
import { isStream, type Stream } from '../outlet.ts'
import type { TransportLimits } from './limits.ts'
import { type SharedResult, textOf } from './shared.ts'

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache',
  connection: 'keep-alive',
  'x-accel-buffering': 'no',
}
const KEEP_ALIVE = ':\n\n'
const COMPLETE = 'event: complete\ndata:\n\n'

/** In place of Yoga's own way, which makes the bytes anew for everyone and waits for ever for who does not read. */
export function serveSse(limits: Pick<TransportLimits, 'socketPingMs' | 'socketSendMs'>): Plugin {
  const events = new WeakMap<SharedResult, Buffer>()

  function eventOf(result: SharedResult): Buffer {
    const known = events.get(result)
    if (known) return known
    const event = Buffer.from(`event: next\ndata: ${textOf(result)}\n\n`)
    events.set(result, event)
    return event
  }

  function open(stream: Stream<SharedResult>, response: ServerResponse): Readable {
    let room = true
    let slow: NodeJS.Timeout | undefined
    const body: Readable = new Readable({
      read() {
        room = true
        clearTimeout(slow)
        wake()
      },
      destroy(error, done): void {
        clearInterval(keepAlive)
        clearTimeout(slow)
        void stream.return?.()
        // Nothing is left to say to one who does not listen; a stream that has ended has said so.
        if (!body.readableEnded) response.destroy()
        done(error)
      },
    })
    const keepAlive = setInterval(() => room && push(KEEP_ALIVE), limits.socketPingMs)

    function push(chunk: string | Buffer): void {
      room = body.push(chunk)
      if (room) return
      clearTimeout(slow)
      slow = setTimeout(() => body.destroy(), limits.socketSendMs)
    }

    const wake = stream.pour({
      ready: () => room && !body.destroyed,
      take: (result) => push(eventOf(result)),
      end(error) {
        if (error !== undefined) return void body.destroy(error as Error)
        push(COMPLETE)
        body.push(null)
      },
    })
    // Some browsers hold a response back until something comes.
    push(KEEP_ALIVE)
    return body
  }

  return {
    onResultProcess({ result, resultProcessor, setResultProcessor, serverContext }) {
      if (!isStream(result) || !resultProcessor) return
      const { res } = serverContext as unknown as { res: ServerResponse }
      setResultProcessor(
        (stream, { Response }) =>
          new Response(open(stream as unknown as Stream<SharedResult>, res) as never, { headers: HEADERS }),
        'text/event-stream',
      )
    },
  }
}
