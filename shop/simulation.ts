// The whole shop as one discrete-event simulation: give it a time to advance to, and its rows come out of the sink.
// The past is written and the present is lived by the same code; only who moves the clock differs.
import { makeAgenda, type Sleeper } from './agenda.ts'
import type { Catalogue } from './catalogue.ts'
import type { Geography } from './geography.ts'
import { makeNews } from './news.ts'
import { makeOrders, type OpenOrder } from './orders.ts'
import { makePeople, type Person } from './people.ts'
import { makeRandom } from './random.ts'
import type { Sink } from './rows.ts'
import type { Traffic, TrafficProfile } from './traffic.ts'
import { makeVisits } from './visits.ts'

export interface SimulationOptions {
  seed: string | number
  startMs: number
  /** Most users ever registered by this run, those that were welcomed included. */
  usersMax: number
  /** Most customers remembered as such who come back. */
  poolUsersMax: number
  /** Customers the shop has from the start. */
  firstUsers: number
  /** Status changes happen this many times faster than in life. */
  speed: number
  openOrdersMax: number
  /** Visitors pause this many times less than people do. */
  haste: number
}

export interface Simulation {
  nowMs(): number
  /** Lets everything up to this time happen. */
  advance(toMs: number): void
  /** Passes over a span in which nothing happened. */
  skip(ms: number): void
  /** Takes over what the server has from earlier runs, before the first advance. */
  open(known: { people: readonly Person[]; orders: readonly OpenOrder[] }): void
  /** Goes on with open orders that were not followed. */
  follow(orders: readonly OpenOrder[]): void
  /** Orders left alone since the last call, as too many were open. */
  ordersLeft(): number
  sessionsStarted(): number
  size(): { visitors: number; openOrders: number; people: number }
}

const secondMs = 1_000

/** Rows depend on the seed, the start and the traffic alone, not on the steps in which time is moved. */
export function makeSimulation(
  dependencies: { catalogue: Catalogue; geography: Geography; traffic: TrafficProfile; sink: Sink },
  options: SimulationOptions,
): Simulation {
  const { catalogue, geography, sink } = dependencies
  const agenda = makeAgenda()
  const randomFor = (part: string) => makeRandom(`${options.seed} ${part}`)
  // Ids are drawn from seed and start, so runs of one seed may share a database.
  const ids = randomFor(`ids ${options.startMs}`)
  let traffic: Traffic = dependencies.traffic(options.startMs)
  let nowMs = options.startMs
  let sessions = 0

  const people = makePeople({ random: randomFor('people'), ids, geography, sink }, options)
  const news = makeNews({ random: randomFor('news'), agenda, catalogue, sink })
  const current = () => traffic
  const orders = makeOrders({ agenda, random: randomFor('orders'), sink, traffic: current }, options)
  const visits = makeVisits(
    {
      random: randomFor('visits'),
      ids,
      agenda,
      catalogue,
      geography,
      people,
      sink,
      traffic: current,
      onCheckoutError: news.checkoutError,
      onOrder(order, cents, place) {
        const { id: orderId, atMs: sinceMs, items } = order
        orders.follow({ orderId, status: 'PROCESSING', sinceMs, cents, items: items.length }, sinceMs)
        news.order(order, cents, place)
      },
    },
    options,
  )

  // Once a second: read the traffic and draw that second's arrivals (a Poisson process has no memory, so seconds are independent).
  const arrivals = randomFor('arrivals')
  const second: Sleeper = {
    wake(atMs) {
      traffic = dependencies.traffic(atMs)
      const meanGapMs = secondMs / traffic.sessionsPerSecond
      for (let next = arrivals.exponential(meanGapMs); next < secondMs; next += arrivals.exponential(meanGapMs)) {
        sessions++
        visits.start(atMs + next)
      }
      agenda.add(atMs + secondMs, second)
    },
  }

  return {
    nowMs: () => nowMs,
    advance(toMs) {
      if (toMs < nowMs) return
      agenda.advance(toMs)
      nowMs = toMs
    },
    skip(ms) {
      agenda.shift(ms)
      nowMs += ms
    },
    open(known) {
      people.welcome(known.people)
      people.fill(options.firstUsers, options.startMs)
      for (const order of known.orders) orders.follow(order, options.startMs)
      news.start(options.startMs)
      agenda.add(options.startMs, second)
    },
    follow: (found) => found.forEach((order) => orders.follow(order, nowMs)),
    ordersLeft: orders.left,
    sessionsStarted: () => sessions,
    size: () => ({ visitors: visits.size(), openOrders: orders.size(), people: people.size() }),
  }
}
