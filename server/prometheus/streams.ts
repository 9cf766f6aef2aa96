// What the way out tells: live streams and what they share, readers that were late, how resuming went, and the lag to the send.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { StreamEvent } from '../outlet.ts'
import { SECONDS } from './registry.ts'

export interface StreamCounts {
  onStreamEvent(event: StreamEvent): void
  onSocketClosed(code: number): void
  onSseClosed(reason: string): void
}

/** Close codes by the reason they stand for; all others are "other". */
const REASONS: Record<number, string> = {
  1000: 'client',
  1001: 'going_away',
  1005: 'client',
  1006: 'lost',
  1009: 'too_large',
  1013: 'unavailable',
  4400: 'bad_message',
  4401: 'unauthenticated',
  4408: 'not_initialised',
  4409: 'bad_message',
  4429: 'bad_message',
  4013: 'too_slow',
}

/** Answers what is to be called as it happens. */
export function nameStreamEvents(registry: Registry): StreamCounts {
  const registers = [registry]
  const conflated = new Counter({
    name: 'lookout_messages_conflated_total',
    help: 'Messages merged into one that their reader had not taken yet.',
    registers,
  })
  const resumes = new Counter({
    name: 'lookout_resumes_total',
    help: 'Readers that came with a cursor: "resumed" from there, or given a "snapshot" again.',
    labelNames: ['outcome'],
    registers,
  })
  const lag = new Histogram({
    name: 'lookout_send_lag_seconds',
    help: 'From the newest commit in a delta of "windows" or "rows" to its going out; `every` is part of it.',
    labelNames: ['stream'],
    buckets: SECONDS,
    registers,
  })
  const closed = new Counter({
    name: 'lookout_sockets_closed_total',
    help: 'Sockets closed, by reason.',
    labelNames: ['reason'],
    registers,
  })
  const ended = new Counter({
    name: 'lookout_sse_closed_total',
    help: 'Streams of server-sent events closed, by reason.',
    labelNames: ['reason'],
    registers,
  })
  return {
    onStreamEvent(event) {
      if (event.is === 'conflated') conflated.inc()
      else if (event.is === 'resumed') resumes.inc({ outcome: event.outcome })
      else lag.observe({ stream: event.stream }, Math.max(0, event.lagMs) / 1000)
    },
    onSocketClosed: (code) => closed.inc({ reason: REASONS[code] ?? 'other' }),
    onSseClosed: (reason) => ended.inc({ reason }),
  }
}

export interface LiveStreams {
  /** Live subscriptions, and the distinct computations that they share. */
  streams: number
  shared: number
  sockets: number
  sse: number
}

/** Gauges that are read when they are asked for. */
export function nameLiveStreams(registry: Registry, read: () => LiveStreams): void {
  const gauge = (name: string, help: string, of: keyof LiveStreams) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read()[of])
      },
    })
  gauge('lookout_streams', 'Live subscriptions.', 'streams')
  gauge('lookout_streams_shared', 'Distinct windows and streams of rows computed for them.', 'shared')
  gauge('lookout_sockets', 'Open sockets.', 'sockets')
  gauge('lookout_sse_streams', 'Open streams of server-sent events.', 'sse')
}
