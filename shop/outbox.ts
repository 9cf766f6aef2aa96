// From the simulation to the server: rows wait here, are cut into parcels, and each parcel's calls keep the order of
// reference: users, then their orders, then status changes and events. Nothing is dropped; a full outbox stops the clock.
import { randomUUID } from 'node:crypto'
import { CallError, type Client } from './client.ts'
import type { IngestResult, Ledger } from './ledger.ts'
import { makeRandom } from './random.ts'
import { type Kind, kinds, type Rows, type Sink } from './rows.ts'
import { mutations } from './wire.ts'

export interface OutboxOptions {
  /** Most rows in one call. */
  batchRowsMax: number
  /** Most parcels under way at once; each has up to three calls at a time. */
  parcelsMax: number
  /** From here on the outbox is full. */
  backlogRowsMax: number
  /** Share of events and user metrics that are held back and sent late, with the time at which they happened. */
  lateShare: number
  /** Held back up to this long. */
  lateMs: number
}

export interface Outbox {
  push: Sink
  /** Rows not acknowledged yet: waiting, held back, or in a call. */
  rows(): number
  /** Rows waiting to be cut into a parcel. */
  waiting(): number
  full(): boolean
  /** Sends what waits, as far as calls are free; `allOfIt` also what is held back. */
  flush(options?: { allOfIt: boolean }): void
  /** Resolves when another parcel may go. */
  room(): Promise<void>
  /** Resolves when everything was answered. */
  empty(): Promise<void>
}

interface Held {
  untilMs: number
  send: () => void
}

export function makeOutbox(
  dependencies: { client: Client; ledger: Ledger; onRefused?: (kind: Kind, error: CallError) => void },
  options: OutboxOptions,
): Outbox {
  const { client, ledger, onRefused } = dependencies
  const waiting: { [K in Kind]: Rows[K][] } = {
    users: [],
    orders: [],
    statuses: [],
    events: [],
    userMetrics: [],
    messages: [],
  }
  const runKey = randomUUID()
  const lateness = makeRandom('lateness')
  let held: Held[] = []
  let unacknowledged = 0
  let parcels = 0
  let calls = 0
  let usersSent: Promise<void> = Promise.resolve()
  let ordersSent: Promise<void> = Promise.resolve()
  let statusesSent: Promise<void> = Promise.resolve()
  let listeners: (() => void)[] = []

  const waitingRows = () => kinds.reduce((sum, kind) => sum + waiting[kind].length, 0)

  const push: Sink = (kind, row) => {
    ledger.sent(kind)
    unacknowledged++
    const queue = waiting[kind] as (typeof row)[]
    const mayBeLate = options.lateShare > 0 && (kind === 'events' || kind === 'userMetrics')
    if (!mayBeLate || !lateness.chance(options.lateShare)) queue.push(row)
    else held.push({ untilMs: Date.now() + lateness.between(0, options.lateMs), send: () => queue.push(row) })
  }

  function releaseHeld(all: boolean): void {
    if (held.length === 0) return
    const nowMs = Date.now()
    const due = held.filter((row) => all || row.untilMs <= nowMs)
    held = held.filter((row) => !all && row.untilMs > nowMs)
    for (const row of due) row.send()
  }

  /** Users and orders leave whole, so whatever refers to them finds them; the rest up to a call's worth of each kind. */
  function cutParcel(): void {
    const { batchRowsMax } = options
    const users = waiting.users.splice(0)
    const orders = waiting.orders.splice(0)
    const statuses = waiting.statuses.splice(0)
    const events = waiting.events.splice(0, batchRowsMax)
    const userMetrics = waiting.userMetrics.splice(0, batchRowsMax)
    const messages = waiting.messages.splice(0, batchRowsMax)
    usersSent = usersSent.then(() => send('users', users))
    const usersHere = usersSent
    ordersSent = Promise.all([ordersSent, usersHere]).then(() => send('orders', orders))
    const ordersHere = ordersSent
    statusesSent = Promise.all([statusesSent, ordersHere]).then(() => send('statuses', statuses))
    parcels++
    void Promise.all([
      statusesSent,
      ordersHere.then(() => send('events', events)),
      usersHere.then(() => send('userMetrics', userMetrics)),
      send('messages', messages),
    ]).then(() => {
      parcels--
      const woken = listeners
      listeners = []
      woken.forEach((listener) => listener())
    })
  }

  async function send<K extends Kind>(kind: K, rows: Rows[K][]): Promise<void> {
    for (let from = 0; from < rows.length; from += options.batchRowsMax) {
      await sendCall(kind, rows.slice(from, from + options.batchRowsMax))
    }
  }

  async function sendCall<K extends Kind>(kind: K, rows: Rows[K][]): Promise<void> {
    const { document, toInput } = mutations[kind]
    const key = `${runKey}-${++calls}`
    try {
      const variables = { rows: rows.map(toInput), key }
      const { result } = await client.callUntilAnswered<{ result: IngestResult }>(document, variables)
      ledger.answered(kind, rows, result)
    } catch (error) {
      if (!(error instanceof CallError)) throw error
      if (error.code === 'CLOSED') return
      ledger.refused(kind, rows.length, error.message)
      onRefused?.(kind, error)
    } finally {
      unacknowledged -= rows.length
    }
  }

  const nextAnswer = () => new Promise<void>((resolve) => listeners.push(resolve))

  return {
    push,
    rows: () => unacknowledged,
    waiting: waitingRows,
    full: () => unacknowledged - held.length >= options.backlogRowsMax,
    flush({ allOfIt } = { allOfIt: false }) {
      releaseHeld(allOfIt)
      while (parcels < options.parcelsMax && waitingRows() > 0) cutParcel()
    },
    async room() {
      while (parcels >= options.parcelsMax) await nextAnswer()
    },
    async empty() {
      for (;;) {
        this.flush({ allOfIt: true })
        if (parcels === 0 && waitingRows() === 0) return
        await nextAnswer()
      }
    },
  }
}
