// The live shop: opens, writes the past it was asked for, then lives; on GraphQL alone.
import type { Catalogue } from './catalogue.ts'
import { CallError, type Client, makeClient } from './client.ts'
import type { Geography } from './geography.ts'
import { type Ledger, makeLedger, type Totals } from './ledger.ts'
import { bringCatalogue, knownPeople, newestOrderMs, openOrders, ShopError } from './opening.ts'
import { makeOutbox } from './outbox.ts'
import { type Progress, writePast } from './past.ts'
import { makeSimulation, type Simulation } from './simulation.ts'
import { makeTraffic } from './traffic.ts'

export interface ShopDependencies {
  url: string
  /** The API key to call with. */
  key?: string | null
  catalogue: Catalogue
  geography: Geography
  /** Told what happens, in sentences. */
  say?: (sentence: string) => void
  /** Told how far the back-fill is, a few times a second. */
  onProgress?: (progress: Progress) => void
}

export interface ShopOptions {
  /** Sessions started a second, on average. */
  ratePerSecond: number
  seed: string | number
  /** Length of the past to write first; what the server has of it from an earlier run is left as it is. */
  backfillMs: number
  /** Status changes of orders happen this many times faster than in life. */
  speed: number
  /** Visitors pause this many times less than people do: for tests and measurements. */
  haste: number
  usersMax: number
  poolUsersMax: number
  firstUsers: number
  openOrdersMax: number
  /** Open orders of earlier runs taken over at a time. */
  adoptedOrdersMax: number
  /** Rows in a call: the fuller, the fewer buckets the server folds twice; 5,000 took a third less of its time than 2,000. */
  batchRowsMax: number
  parcelsMax: number
  backlogRowsMax: number
  flushIntervalMs: number
  /** Share of events and user metrics sent late, by up to `lateMs`, with the time at which they happened. */
  lateShare: number
  lateMs: number
}

export const shopDefaults: ShopOptions = {
  ratePerSecond: 20,
  seed: 1,
  backfillMs: 0,
  speed: 1,
  haste: 1,
  usersMax: Number.POSITIVE_INFINITY,
  poolUsersMax: 50_000,
  firstUsers: 2_000,
  openOrdersMax: 200_000,
  adoptedOrdersMax: 10_000,
  batchRowsMax: 5_000,
  parcelsMax: 3,
  backlogRowsMax: 50_000,
  flushIntervalMs: 150,
  lateShare: 0,
  lateMs: 60_000,
}

export interface ShopStatus {
  live: boolean
  sessionsStarted: number
  visitors: number
  openOrders: number
  rowsAcknowledged: number
  backlogRows: number
  latencyMs: number | null
  trouble: string | null
}

export interface Shop {
  /** Resolves when the past is written and the present has begun, or the shop was closed; rejects as `ended` does. */
  live: Promise<void>
  /** Resolves when the shop was closed; rejects (ShopError) when it cannot go on. */
  ended: Promise<void>
  /** From the next second on. */
  setRate(perSecond: number): void
  status(): ShopStatus
  totals(): Totals
  /** Starts nothing more, sends what waits, and gives up after `withinMs`; `unanswered` of the result is then above 0. */
  close(options?: { withinMs: number }): Promise<Totals>
}

// A stall up to this long is caught up with; a longer one did not happen for the shop.
const catchUpMaxMs = 5_000
const adoptIntervalMs = 60_000
// Who starts the shop may grant it a second and a half to end.
const closeWithinMs = 1_200

export function makeShop(dependencies: ShopDependencies, given: Partial<ShopOptions> = {}): Shop {
  const options = { ...shopDefaults, ...given }
  const { catalogue, geography, say = () => {}, onProgress = () => {} } = dependencies
  const ledger: Ledger = makeLedger()
  const client: Client = makeClient({ url: dependencies.url, key: dependencies.key })
  const outbox = makeOutbox({ client, ledger, onRefused }, options)
  const traffic = makeTraffic({ ratePerSecond: options.ratePerSecond, liveAtMs: Date.now() })
  const timers: NodeJS.Timeout[] = []
  let simulation: Simulation | null = null
  let isLive = false
  let closing = false
  let stopWith: (error: unknown) => void = () => {}
  let markLive = () => {}

  function onRefused(kind: string, error: CallError): void {
    const fatal = error.code === 'UNAUTHENTICATED' || error.code === 'FORBIDDEN'
    if (fatal) stopWith(new ShopError(`The server does not let the shop write: ${error.message}`))
    else say(`The server refused a call with ${kind}: ${error.code}: ${error.message}`)
  }

  async function run(): Promise<void> {
    await untilServerAnswers()
    const sent = await bringCatalogue(client, catalogue)
    if (sent > 0) say(`Sent ${sent} products and ${catalogue.centers.length} distribution centres.`)
    const people = await knownPeople(client, geography, Math.min(options.firstUsers, options.usersMax))
    const startMs = await findStart()
    simulation = makeSimulation(
      { catalogue, geography, traffic: traffic.profile, sink: outbox.push },
      { ...options, startMs },
    )
    simulation.open({ people, orders: [] })
    await adopt(simulation)
    if (options.backfillMs > 0) {
      await writePast({ simulation, outbox, ledger, onProgress, closing: () => closing }, options)
    }
    if (closing) return
    goLive(simulation)
  }

  async function untilServerAnswers(): Promise<void> {
    for (let said = false; ; said = true) {
      try {
        await client.call('query hello { __typename }', {})
        return
      } catch (error) {
        if (!(error instanceof CallError)) throw error
        if (error.code === 'CLOSED') throw error
        if (!error.retryable)
          throw new ShopError(`${dependencies.url} does not answer as Lookout does: ${error.message}`)
        if (!said) say(`Waiting for the server: ${error.message}.`)
        await new Promise((resolve) => setTimeout(resolve, 500))
        if (closing) throw new CallError('CLOSED', 'The shop has closed.', { retryable: false })
      }
    }
  }

  /** The start of what is missing: as far back as asked for, but after the newest order of an earlier run. */
  async function findStart(): Promise<number> {
    const nowMs = Date.now()
    if (options.backfillMs === 0) return nowMs
    const newestMs = await newestOrderMs(client)
    return Math.min(nowMs, Math.max(nowMs - options.backfillMs, newestMs ?? 0))
  }

  async function adopt(shop: Simulation): Promise<void> {
    shop.ordersLeft()
    shop.follow(await openOrders(client, options.adoptedOrdersMax))
  }

  function goLive(shop: Simulation): void {
    isLive = true
    let stopped = false
    const tick = () => {
      const full = stopped ? outbox.rows() > options.backlogRowsMax / 2 : outbox.full()
      if (full && !stopped) {
        say(
          `The server does not keep up: ${outbox.rows()} rows wait, so the shop stands still until half of them are gone.`,
        )
      }
      stopped = full
      const behindMs = Date.now() - shop.nowMs()
      if (!full && behindMs > catchUpMaxMs) {
        say(`The shop stood still for ${Math.round(behindMs / 1_000)} s.`)
        shop.skip(behindMs)
      }
      if (!full) shop.advance(Date.now())
      outbox.flush()
    }
    const adoptLeft = () => {
      if (shop.size().openOrders > options.openOrdersMax / 2 || shop.ordersLeft() === 0) return
      adopt(shop).catch((error: unknown) => say(`Open orders could not be read: ${String(error)}`))
    }
    tick()
    timers.push(setInterval(tick, options.flushIntervalMs), setInterval(adoptLeft, adoptIntervalMs))
    markLive()
  }

  const stopping = new Promise<never>((_resolve, reject) => (stopWith = reject))
  let endNow = () => {}
  const closed = new Promise<void>((resolve) => (endNow = resolve))
  const running = run().catch((error: unknown) => {
    if (!(error instanceof CallError)) stopWith(error)
    else if (error.code !== 'CLOSED') stopWith(new ShopError(`The shop cannot open: ${error.code}: ${error.message}`))
  })
  const ended = Promise.race([closed, stopping])
  const live = Promise.race([new Promise<void>((resolve) => (markLive = resolve)), ended])
  // Whoever does not ask need not know.
  for (const promise of [ended, live]) promise.catch(() => {})

  return {
    live,
    ended,
    setRate: traffic.setRate,
    status: () => ({
      live: isLive,
      sessionsStarted: simulation?.sessionsStarted() ?? 0,
      visitors: simulation?.size().visitors ?? 0,
      openOrders: simulation?.size().openOrders ?? 0,
      rowsAcknowledged: ledger.acknowledged(),
      backlogRows: outbox.rows(),
      latencyMs: client.takeLatencyMs(),
      trouble: client.trouble(),
    }),
    totals: ledger.totals,
    async close({ withinMs } = { withinMs: closeWithinMs }) {
      closing = true
      timers.forEach((timer) => clearInterval(timer))
      client.finish()
      let deadline: NodeJS.Timeout | undefined
      const tooLate = new Promise<void>((resolve) => (deadline = setTimeout(resolve, withinMs)))
      await Promise.race([outbox.empty(), tooLate])
      clearTimeout(deadline)
      client.close()
      await running
      endNow()
      return ledger.totals()
    },
  }
}
