// From mutations to rows: each call is checked here, row by row, and handed to the writer.
import { type ErrorCode, LookoutError } from '../errors.ts'
import { makeUuid7 } from '../writer/uuid7.ts'
import type { Call, IdempotencyClaim, IngestResult } from '../writer/call.ts'
import type { Answer, Writer } from '../writer/writer.ts'
import { checkDistributionCenters, checkProducts } from './catalogue.ts'
import type { CheckContext, Checked } from './checked.ts'
import { makeEventCheck, readBatch } from './events.ts'
import { hashRows } from './hash.ts'
import { makeMessageCheck } from './messages.ts'
import { checkOrderStatuses } from './orderStatuses.ts'
import { checkOrders } from './orders.ts'
import type { InputRow, Rows } from './row.ts'
import { textFault, type Now } from './rules.ts'
import { makeUserMetricCheck } from './userMetrics.ts'
import { makeUserCheck } from './users.ts'

export interface IngestOptions {
  rowsPerCallMax: number
  /** How far a row's time may lie ahead of the server's clock. */
  futureToleranceMs: number
  /** Days, today not counted, whose raw events and order items are kept. */
  rawRetentionDays: number
  idempotencyKeyCharactersMax: number
}

export const INGEST_OPTIONS: IngestOptions = {
  rowsPerCallMax: 10_000,
  futureToleranceMs: 5 * 60_000,
  rawRetentionDays: 30,
  idempotencyKeyCharactersMax: 255,
}

/** Who sends the rows, and the key of the call, if it has one. */
export interface Origin {
  caller: string
  idempotencyKey?: string | null
}

/** What became of a call, for those who count. */
export interface CallReport {
  /** The mutation's name. */
  mutation: string
  /** From the rows being at hand to the answer. */
  tookMs: number
  answer?: Answer
  /** Of the error that the whole call got in place of an answer. */
  errorCode?: ErrorCode
}

type Send<Rows = readonly object[]> = (rows: Rows, origin: Origin) => Promise<IngestResult>

/**
 * One method a mutation. Each of them resolves after the commit with every row accounted for; it rejects, nothing written, with
 * BAD_REQUEST, PAYLOAD_TOO_LARGE (too many rows), OVERLOADED, UNAVAILABLE or IDEMPOTENCY_KEY_REUSED.
 */
export interface Ingest {
  trackEvents: Send
  /** Takes what came; fails whole where it is no array of objects. */
  ingestEvents: Send<unknown>
  recordUserMetrics: Send
  registerUsers: Send
  placeOrders: Send
  changeOrderStatuses: Send
  postMessages: Send
  upsertProducts: Send
  upsertDistributionCenters: Send
  /** Throws OVERLOADED or UNAVAILABLE where no rows are taken now. */
  assertRoom(): void
  /** Can rows be written now? For readiness. */
  ready(): boolean
}

const DAY_MS = 86_400_000

export interface IngestDependencies {
  writer: Pick<Writer, 'assertRoom' | 'write' | 'ready'>
  /** Called after each call. */
  onCall?: (report: CallReport) => void
  /** Milliseconds. */
  clock?: () => number
}

export function makeIngest(
  { writer, onCall, clock = Date.now }: IngestDependencies,
  given: Partial<IngestOptions> = {},
): Ingest {
  const options = { ...INGEST_OPTIONS, ...given }
  const newId = makeUuid7(clock)
  const checkEvents = makeEventCheck()

  function readNow(): Now {
    const nowMs = clock()
    return {
      nowMs,
      nowText: new Date(nowMs).toISOString(),
      futureMs: nowMs + options.futureToleranceMs,
      oldestMs: (Math.floor(nowMs / DAY_MS) - options.rawRetentionDays) * DAY_MS,
    }
  }

  function readClaim(field: string, { caller, idempotencyKey }: Origin, rows: Rows): IdempotencyClaim | undefined {
    if (idempotencyKey === undefined || idempotencyKey === null) return undefined
    const length = idempotencyKey.length
    if (length === 0 || length > options.idempotencyKeyCharactersMax || textFault(idempotencyKey)) {
      const limit = options.idempotencyKeyCharactersMax
      throw new LookoutError('BAD_REQUEST', `idempotencyKey must be a text of 1 to ${limit} characters.`)
    }
    return { field, caller, key: idempotencyKey, requestHash: hashRows(rows) }
  }

  /** What all mutations do: limits first, then the check, then the writer. */
  async function send<Sent extends Rows>(
    field: string,
    rows: Sent,
    origin: Origin,
    check: (rows: Sent, context: CheckContext) => Checked<Call['table']>,
  ): Promise<Answer> {
    if (rows.length > options.rowsPerCallMax) {
      const message = `A call takes up to ${options.rowsPerCallMax} rows; this one has ${rows.length}.`
      throw new LookoutError('PAYLOAD_TOO_LARGE', message)
    }
    writer.assertRoom(rows.length)
    const idempotency = readClaim(field, origin, rows)
    // The compiler cannot follow that rows and table of a checked call belong together.
    const call = { ...check(rows, { now: readNow(), newId }), idempotency } as Call
    return writer.write(call)
  }

  /** Runs a call and tells how it went. */
  async function told(mutation: string, run: () => Promise<Answer>): Promise<IngestResult> {
    const started = performance.now()
    try {
      const answer = await run()
      onCall?.({ mutation, tookMs: performance.now() - started, answer })
      return answer.result
    } catch (error) {
      const errorCode = error instanceof LookoutError ? error.code : 'INTERNAL'
      onCall?.({ mutation, tookMs: performance.now() - started, errorCode })
      throw error
    }
  }

  const typed =
    (field: string, check: (rows: readonly InputRow[], context: CheckContext) => Checked<Call['table']>): Send =>
    (rows, origin) =>
      told(field, () => send(field, rows as readonly InputRow[], origin, check))

  return {
    trackEvents: typed('trackEvents', checkEvents),
    ingestEvents: (batch, origin) =>
      told('ingestEvents', async () => {
        const rows = readBatch(batch)
        if (!rows)
          throw new LookoutError('BAD_REQUEST', 'batch must be an array of objects, each shaped like an EventInput.')
        return send('ingestEvents', rows, origin, checkEvents)
      }),
    recordUserMetrics: typed('recordUserMetrics', makeUserMetricCheck()),
    registerUsers: typed('registerUsers', makeUserCheck()),
    placeOrders: typed('placeOrders', checkOrders),
    changeOrderStatuses: typed('changeOrderStatuses', checkOrderStatuses),
    postMessages: typed('postMessages', makeMessageCheck()),
    upsertProducts: typed('upsertProducts', checkProducts),
    upsertDistributionCenters: typed('upsertDistributionCenters', checkDistributionCenters),
    assertRoom: () => writer.assertRoom(1),
    ready: () => writer.ready(),
  }
}
