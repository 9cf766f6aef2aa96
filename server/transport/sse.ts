// Streams as server-sent events, in graphql-sse's distinct-connections mode. The bytes of an event are made once for all who are
// sent it; who takes none for a while is let go.
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { Plugin } from 'graphql-yoga'
import { isStream, type Stream } from '../outlet.ts'
import type { Mask, Result } from './failures.ts'
import type { TransportLimits } from './limits.ts'
import { mapStream } from './mapStream.ts'
import { SharedResult, textOf } from './shared.ts'

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache',
  connection: 'keep-alive',
  'x-accel-buffering': 'no',
}
const KEEP_ALIVE = ':\n\n'
const COMPLETE = 'event: complete\ndata:\n\n'

const bytesOf = (result: Result): Buffer => Buffer.from(`event: next\ndata: ${textOf(result)}\n\n`)

/** Why a stream ended. */
export type SseEnd = 'client' | 'complete' | 'going_away' | 'lost' | 'too_slow' | 'unauthenticated'

/** In place of Yoga's own way, which makes the bytes anew for everyone and waits for ever for who does not read. */
export function serveSse(
  { mask, onSlow }: { mask: Mask; onSlow: (response: ServerResponse) => void },
  limits: Pick<TransportLimits, 'socketPingMs' | 'socketSendMs'>,
): Plugin {
  function eventOf(result: Result): Buffer {
    if (!(result instanceof SharedResult)) return bytesOf(result)
    return (result.event ??= bytesOf(result))
  }

  function open(stream: Stream<Result>, response: ServerResponse): Readable {
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
      slow = setTimeout(() => {
        onSlow(response)
        body.destroy()
      }, limits.socketSendMs)
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

  // Yoga wraps what it is given; what is poured is the stream itself.
  const streams = new WeakMap<object, Stream<Result>>()

  return {
    onSubscribe({ args }) {
      const { request } = args.contextValue as { request?: object }
      return {
        onSubscribeResult({ result }) {
          if (request && isStream(result)) streams.set(request, result as unknown as Stream<Result>)
        },
      }
    },
    onResultProcess({ request, resultProcessor, setResultProcessor, serverContext }) {
      const stream = streams.get(request)
      if (!stream) return
      // Who takes no events is answered 406, and watches nothing.
      if (!resultProcessor) return void stream.return?.()
      const { res, requestId } = serverContext as unknown as { res: ServerResponse; requestId: string }
      const masked = mapStream(stream, {
        each: (result) => mask.result(result, requestId),
        failed: (error): Result => ({ errors: [mask.error(error, requestId)] }),
      })
      setResultProcessor(
        (_result, { Response }) => new Response(open(masked, res) as never, { headers: HEADERS }),
        'text/event-stream',
      )
    },
  }
}
