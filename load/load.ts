// A run: calls are due at a steady rate, whatever became of those before; what was acknowledged is held against what the
// server counts at the end.
import { randomUUID } from 'node:crypto'
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { type Caller, makeCaller } from './caller.ts'
import { type Events, makeEvents } from './events.ts'

export interface LoadOptions {
  url: string
  /** An API key of the role admin, or none. */
  key: string | null
  /** Events; 0: as many as are acknowledged. */
  ratePerSecond: number
  seconds: number
  rowsPerCall: number
  /** Under way at a time. */
  callsMax: number
  typed: boolean
  /** Each call has an idempotencyKey and is sent again until it is answered. */
  keys: boolean
}

export const LOAD_OPTIONS: LoadOptions = {
  url: 'http://localhost:4000/graphql',
  key: null,
  ratePerSecond: 50_000,
  seconds: 30,
  rowsPerCall: 500,
  callsMax: 64,
  typed: false,
  keys: false,
}

/** So far, or since the last time; times in milliseconds. */
export interface LoadProgress {
  seconds: number
  rows: Rows
  /** Calls that got an error, by its code. */
  failedCalls: Record<string, number>
  p50Ms: number
  p99Ms: number
  maxMs: number
}

export interface Rows {
  accepted: number
  duplicate: number
  rejected: number
  /** Of calls that were answered with an error: nothing of them was written. */
  refused: number
  /** Of calls whose outcome nobody knows: no answer came, or the database went away during the commit. */
  unknown: number
}

export interface LoadResult extends LoadProgress {
  acceptedPerSecond: number
  /** Of acknowledged calls, from their sending; p99Ms counts from when they were due. */
  answerP99Ms: number
  /** What the server counts of this run's events, over its aggregates; null where it could not be asked. */
  counted: number | null
  /** Every acknowledged event is counted, once. */
  exact: boolean
  /** Processor time of this process, its start aside. */
  cpuSeconds: number
}

type IngestAnswer = Record<string, { accepted: number; duplicates: number; rejected: { code: string }[] }>

const SENT_AGAIN = new Set(['OVERLOADED', 'RATE_LIMITED', 'UNAVAILABLE', 'UNREACHABLE'])
const RETRY_MS = 200
/** After the end, calls with a key are sent again for no longer than this. */
const SETTLE_MS_MAX = 60_000

/** Runs the load; `onProgress` is called every second with what came since the last time. */
export async function runLoad(
  options: LoadOptions,
  onProgress?: (progress: LoadProgress) => void,
): Promise<LoadResult> {
  const { ratePerSecond, seconds, rowsPerCall, callsMax } = options
  const cpuBefore = process.cpuUsage()
  const caller = makeCaller(options.url, { key: options.key })
  const events = makeEvents(`load ${randomUUID().slice(0, 8)}`)
  const head = bodyHead(options)
  const total = makeTally()
  const answers = createHistogram()
  let recent = makeTally()
  const startedMs = Date.now()
  const endsMs = startedMs + seconds * 1000
  const callEveryMs = ratePerSecond === 0 ? 0 : (rowsPerCall * 1000) / ratePerSecond
  let calls = 0

  function count(tell: (tally: Tally) => void): void {
    tell(total)
    tell(recent)
  }

  async function send(dueMs: number): Promise<void> {
    const rows = events.json(rowsPerCall, dueMs, Math.max(callEveryMs, 1))
    const key = options.keys ? `,"key":"${randomUUID()}"` : ''
    const body = `${head}${rows}${key}}}`
    for (let tries = 1; ; tries++) {
      const sentMs = Date.now()
      const { data, errorCode, retryAfterMs } = await caller.call<IngestAnswer>(body)
      if (data) {
        const [result] = Object.values(data)
        answers.record(Math.max(1, Date.now() - sentMs))
        const tookMs = Date.now() - dueMs
        return count((tally) => tally.answered(result as IngestAnswer[string], tookMs))
      }
      count((tally) => tally.failed(errorCode as string))
      const again = options.keys && SENT_AGAIN.has(errorCode as string) && Date.now() < endsMs + SETTLE_MS_MAX
      if (!again) count((tally) => tally.lost(rowsPerCall, errorCode as string))
      // As the server asks, and a little apart from the others.
      if (SENT_AGAIN.has(errorCode as string))
        await delay((retryAfterMs ?? RETRY_MS * tries) * (0.75 + Math.random() / 2))
      if (!again) return
    }
  }

  async function work(): Promise<void> {
    for (;;) {
      const dueMs = callEveryMs === 0 ? Date.now() : startedMs + calls++ * callEveryMs
      if (dueMs >= endsMs) return
      const earlyMs = dueMs - Date.now()
      if (earlyMs > 0) await delay(earlyMs)
      // What is due now but has nobody to send it before the end is not sent.
      if (Date.now() >= endsMs) return
      await send(dueMs)
    }
  }

  const ticker = setInterval(() => {
    onProgress?.(recent.progress())
    recent = makeTally()
  }, 1000)
  try {
    await Promise.all(Array.from({ length: callsMax }, work))
    const progress = total.progress()
    const cpu = process.cpuUsage(cpuBefore)
    const counted = await countEvents(caller, events, startedMs)
    const { accepted, unknown } = progress.rows
    return {
      ...progress,
      acceptedPerSecond: accepted / progress.seconds,
      answerP99Ms: answers.count === 0 ? 0 : answers.percentile(99),
      counted,
      exact: counted !== null && counted >= accepted && counted <= accepted + unknown,
      cpuSeconds: (cpu.user + cpu.system) / 1e6,
    }
  } finally {
    clearInterval(ticker)
    caller.close()
  }
}

/** The text of a call's body up to its rows. */
function bodyHead({ typed, keys }: LoadOptions): string {
  const [field, argument, type] = typed
    ? ['trackEvents', 'events', '[EventInput!]!']
    : ['ingestEvents', 'batch', 'EventBatch!']
  const key = keys ? ', idempotencyKey: $key' : ''
  const query =
    `mutation Load($rows: ${type}${keys ? ', $key: ID' : ''}) ` +
    `{ ${field}(${argument}: $rows${key}) { accepted duplicates rejected { code } } }`
  return `{"query":${JSON.stringify(query)},"variables":{"rows":`
}

/** What the aggregates count of these events. */
async function countEvents(caller: Caller, { sources }: Events, startedMs: number): Promise<number | null> {
  const query = `query Counted($from: DateTime!, $to: DateTime!, $sources: [String!]!) {
    timeSeries(metrics: [EVENTS], from: $from, to: $to, bucket: "PT1H", gapfill: ZERO,
      filter: [{ dimension: TRAFFIC_SOURCE, in: $sources }]) { values }
  }`
  const variables = {
    from: new Date(startedMs - 3_600_000).toISOString(),
    to: new Date(Date.now() + 3_600_000).toISOString(),
    sources,
  }
  const { data } = await caller.call<{ timeSeries: { values: [number] }[] }>(JSON.stringify({ query, variables }))
  return data ? data.timeSeries.reduce((sum, { values: [events] }) => sum + events, 0) : null
}

interface Tally {
  answered(result: IngestAnswer[string], tookMs: number): void
  failed(code: string): void
  lost(rows: number, code: string): void
  progress(): LoadProgress
}

function makeTally(): Tally {
  const startedMs = Date.now()
  const rows: Rows = { accepted: 0, duplicate: 0, rejected: 0, refused: 0, unknown: 0 }
  const failedCalls: Record<string, number> = {}
  const latency: RecordableHistogram = createHistogram()
  const ms = (share: number) => (latency.count === 0 ? 0 : latency.percentile(share) / 1000)

  return {
    answered({ accepted, duplicates, rejected }, tookMs) {
      rows.accepted += accepted
      rows.duplicate += duplicates
      rows.rejected += rejected.length
      latency.record(Math.max(1, Math.round(tookMs * 1000)))
    },
    failed: (code) => (failedCalls[code] = (failedCalls[code] ?? 0) + 1),
    lost(count, code) {
      if (code === 'UNREACHABLE' || code === 'UNAVAILABLE') rows.unknown += count
      else rows.refused += count
    },
    progress: () => ({
      seconds: (Date.now() - startedMs) / 1000,
      rows: { ...rows },
      failedCalls: { ...failedCalls },
      p50Ms: ms(50),
      p99Ms: ms(99),
      maxMs: latency.count === 0 ? 0 : latency.max / 1000,
    }),
  }
}
