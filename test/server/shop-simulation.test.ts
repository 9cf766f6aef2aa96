// The shop's behaviour, on a clock of the test's own.
import { describe, expect, test } from 'vitest'
import { makeCatalogue, syntheticProducts } from '../../shop/catalogue.ts'
import { makeGeography } from '../../shop/geography.ts'
import { lifeOf } from '../../shop/life.ts'
import type { OpenOrder } from '../../shop/orders.ts'
import type { Kind, Rows } from '../../shop/rows.ts'
import { makeSimulation, type SimulationOptions } from '../../shop/simulation.ts'
import { dayShape, makeTraffic, type TrafficProfile } from '../../shop/traffic.ts'

const catalogue = makeCatalogue(syntheticProducts())
const geography = makeGeography()
const startMs = Date.UTC(2026, 10, 21, 12)
const hourMs = 3_600_000

interface Play {
  spanMs: number
  stepMs?: number
  ratePerSecond?: number
  profile?: TrafficProfile
  orders?: OpenOrder[]
  options?: Partial<SimulationOptions>
}

/** Plays the shop for a span and gives all its rows by kind, each with the simulation's time when it came out. */
function play({ spanMs, stepMs = 1_000, ratePerSecond = 20, profile, orders = [], options = {} }: Play) {
  const rows: { [K in Kind]: Rows[K][] } = {
    users: [],
    orders: [],
    statuses: [],
    events: [],
    userMetrics: [],
    messages: [],
  }
  const ahead: { kind: Kind; byMs: number }[] = []
  let reachedMs = startMs
  const simulation = makeSimulation(
    {
      catalogue,
      geography,
      traffic: profile ?? makeTraffic({ ratePerSecond, liveAtMs: startMs }).profile,
      sink(kind, row) {
        ;(rows[kind] as (typeof row)[]).push(row)
        if (row.atMs > reachedMs) ahead.push({ kind, byMs: row.atMs - reachedMs })
      },
    },
    {
      seed: 1,
      startMs,
      usersMax: Number.POSITIVE_INFINITY,
      poolUsersMax: 50_000,
      firstUsers: 500,
      speed: 60,
      haste: 1,
      openOrdersMax: 100_000,
      ...options,
    },
  )
  simulation.open({ people: [], orders })
  while (reachedMs < startMs + spanMs) {
    reachedMs = Math.min(reachedMs + stepMs, startMs + spanMs)
    simulation.advance(reachedMs)
  }
  return { rows, ahead, simulation }
}

function groupBy<T>(rows: readonly T[], key: (row: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const row of rows) {
    const group = groups.get(key(row))
    if (group) group.push(row)
    else groups.set(key(row), [row])
  }
  return groups
}

const hour = play({ spanMs: hourMs })

describe('a session', () => {
  const sessions = [...groupBy(hour.rows.events, (event) => event.sessionId).values()]
  const ended = sessions.filter((events) => events.at(-1)!.atMs < startMs + hourMs - 180_000)

  test('has its events in order, numbered from 1, at a human pace', () => {
    const gapsMs = sessions.flatMap((events) => events.slice(1).map((event, index) => event.atMs - events[index]!.atMs))
    expect(sessions.every((events) => events.every((event, index) => event.sequence === index + 1))).toBe(true)
    expect(Math.min(...gapsMs.slice(0, 50_000))).toBeGreaterThanOrEqual(999)
    expect(Math.max(...gapsMs.slice(0, 50_000))).toBeLessThanOrEqual(179_001)
  })

  test('looks at a product before it is in the cart, and has a cart before it buys', () => {
    const follows = (types: string[], later: string, earlier: string) =>
      !types.includes(later) || (types.includes(earlier) && types.indexOf(earlier) < types.indexOf(later))
    const kinds = sessions.map((events) => events.map((event) => event.type))
    expect(kinds.filter((types) => !follows(types, 'cart', 'product'))).toEqual([])
    expect(kinds.filter((types) => !follows(types, 'purchase', 'cart'))).toEqual([])
  })

  test('buys nothing in about three cases of four, and never anonymously', () => {
    const bought = ended.filter((events) => events.some((event) => event.type === 'purchase'))
    expect(bought.length / ended.length).toBeGreaterThan(0.22)
    expect(bought.length / ended.length).toBeLessThan(0.28)
    expect(bought.flat().every((event) => event.type !== 'purchase' || event.userId !== null)).toBe(true)
    expect(sessions.filter((events) => events.every((event) => event.userId === null)).length).toBeGreaterThan(
      sessions.length / 2,
    )
  })

  test('fails at the checkout about once in a hundred', () => {
    const count = (type: string) => hour.rows.events.filter((event) => event.type === type).length
    const rate = count('error') / (count('error') + count('purchase'))
    expect(rate).toBeGreaterThan(0.006)
    expect(rate).toBeLessThan(0.014)
  })

  test('that signs up has a user from then on, registered at that moment', () => {
    const users = new Map(hour.rows.users.map((user) => [user.id, user]))
    const signups = hour.rows.events.filter((event) => event.type === 'signup')
    expect(signups.length).toBeGreaterThan(1_000)
    expect(signups.filter((event) => users.get(event.userId!)?.atMs !== event.atMs)).toEqual([])
  })
})

describe('an order', () => {
  test('has exactly one purchase event, with its amount, at its time', () => {
    const purchases = hour.rows.events.filter((event) => event.type === 'purchase')
    const orders = new Map(hour.rows.orders.map((order) => [order.id, order]))
    expect(purchases).toHaveLength(orders.size)
    const fits = (event: Rows['events']) => {
      const order = orders.get(event.properties!.orderId as string)!
      const cents = order.items.reduce((sum, item) => sum + item.cents, 0)
      return event.cents === cents && event.atMs === order.atMs && event.userId === order.userId
    }
    expect(purchases.filter((event) => !fits(event))).toEqual([])
  })

  test('goes from Processing through Shipped and Complete to Returned, or is cancelled within the hour', () => {
    const { rows } = play({ spanMs: 12 * hourMs, stepMs: 60_000, ratePerSecond: 1, options: { speed: 60 } })
    const placed = new Map(rows.orders.map((order) => [order.id, order]))
    const steps = groupBy(rows.statuses, (step) => step.orderId)
    const ways = [...steps.values()].map((changes) => ['PROCESSING', ...changes.map(({ to }) => to)].join(' '))
    expect(new Set(ways)).toEqual(
      new Set([
        'PROCESSING CANCELLED',
        'PROCESSING SHIPPED',
        'PROCESSING SHIPPED COMPLETE',
        'PROCESSING SHIPPED COMPLETE RETURNED',
      ]),
    )
    for (const [orderId, changes] of steps) {
      const times = [placed.get(orderId)!.atMs, ...changes.map((change) => change.atMs)]
      if (times.some((atMs, index) => index > 0 && atMs < times[index - 1]!)) throw new Error(`${orderId} goes back`)
      const cancelled = changes[0]!.to === 'CANCELLED'
      if (cancelled && times[1]! - times[0]! > hourMs / 60) throw new Error(`${orderId} was cancelled too late`)
    }
    // Orders of the first hours have come to their end: 11 days take 4.4 hours at 60 times the speed of life.
    const old = [...placed.values()].filter((order) => order.atMs < startMs + 7 * hourMs)
    const share = (to: string) =>
      old.filter((order) => steps.get(order.id)?.some((change) => change.to === to)).length / old.length
    expect(share('CANCELLED')).toBeCloseTo(0.05, 1)
    expect(share('SHIPPED')).toBeCloseTo(0.95, 1)
    expect(share('RETURNED')).toBeCloseTo(0.095, 1)
    expect(old.every((order) => steps.has(order.id))).toBe(true)
  })

  test('of an earlier run goes on as its id has it, and what was missed is made up for within a minute', () => {
    const orderId = Array.from({ length: 40 }, (_, index) => `0000${index}`).find((id) => !lifeOf(id).cancelled)!
    const long = 30 * 24 * hourMs
    const shipped: OpenOrder = { orderId, status: 'PROCESSING', sinceMs: startMs - long, cents: 0, items: 0 }
    const [first] = play({ spanMs: 60_000, ratePerSecond: 0.01, orders: [shipped], options: { speed: 1 } }).rows
      .statuses
    expect(first).toMatchObject({ orderId, from: 'PROCESSING', to: 'SHIPPED' })
    const fresh: OpenOrder = { ...shipped, sinceMs: startMs }
    const { rows } = play({
      spanMs: 73 * hourMs,
      stepMs: hourMs,
      ratePerSecond: 0.01,
      orders: [fresh],
      options: { speed: 1 },
    })
    expect(rows.statuses.find((step) => step.orderId === orderId)!.atMs).toBe(startMs + lifeOf(orderId).shipAfterMs)
  })

  test('beyond the limit of open orders is left as it is, and counted', () => {
    const { simulation } = play({ spanMs: 600_000, options: { openOrdersMax: 50, speed: 1 } })
    expect(simulation.size().openOrders).toBe(50)
    expect(simulation.ordersLeft()).toBeGreaterThan(1_000)
    expect(simulation.ordersLeft()).toBe(0)
  })
})

describe('the simulation', () => {
  test('dates nothing in the future', () => {
    expect(hour.ahead).toEqual([])
  })

  test('gives the same rows for the same seed, whatever the steps in which time moves', () => {
    const options = { spanMs: 120_000 }
    const rows = play(options).rows
    expect(play({ ...options, stepMs: 37 }).rows).toEqual(rows)
    expect(play({ ...options, options: { seed: 2 } }).rows.events).not.toEqual(rows.events)
  })

  test('draws ids by which two runs of one seed never collide', () => {
    const ids = (rows: { id: string }[]) => new Set(rows.map((row) => row.id))
    const first = ids(hour.rows.users)
    const later = play({ spanMs: 600_000, options: { startMs: startMs + 1 } })
    expect(first.size).toBe(hour.rows.users.length)
    expect([...ids(later.rows.users)].filter((id) => first.has(id))).toEqual([])
    expect([...first][0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  test('starts sessions as a Poisson process of the rate asked for', () => {
    const firsts = hour.rows.events.filter((event) => event.sequence === 1)
    const perSecond = new Array<number>(3_600).fill(0)
    for (const event of firsts) perSecond[Math.min(3_599, Math.floor((event.atMs - startMs) / 1_000))]!++
    const mean = firsts.length / 3_600
    const variance = perSecond.reduce((sum, count) => sum + (count - mean) ** 2, 0) / 3_600
    expect(Math.abs(mean / 20 - 1)).toBeLessThan(0.03)
    expect(Math.abs(variance / mean - 1)).toBeLessThan(0.15)
    const none = perSecond.filter((count) => count > 20 + 6 * Math.sqrt(20)).length
    expect(none).toBe(0)
  })

  test('follows a change of the traffic from the next second on', () => {
    const profile: TrafficProfile = (atMs) => ({
      sessionsPerSecond: atMs < startMs + 60_000 ? 5 : 50,
      buyerShare: 0.25,
      checkoutErrorShare: 0.01,
      returnShare: 0.1,
    })
    const firsts = play({ spanMs: 120_000, profile }).rows.events.filter((event) => event.sequence === 1)
    const before = firsts.filter((event) => event.atMs < startMs + 60_000).length
    expect(before / 60).toBeCloseTo(5, -0.5)
    expect((firsts.length - before) / 60).toBeCloseTo(50, -1)
  })

  test('passes over a span that did not happen', () => {
    const { simulation, rows } = play({ spanMs: 60_000 })
    simulation.skip(hourMs)
    const events = rows.events.length
    simulation.advance(startMs + 60_000 + hourMs)
    expect(rows.events.length).toBe(events)
    simulation.advance(startMs + 120_000 + hourMs)
    expect(rows.events.slice(events).every((event) => event.atMs > startMs + 60_000 + hourMs)).toBe(true)
    expect(rows.events.length).toBeGreaterThan(events)
  })

  test('registers no more users than it may, and goes on with those it has', () => {
    const { rows } = play({ spanMs: 600_000, options: { usersMax: 300 } })
    expect(rows.users).toHaveLength(300)
    expect(rows.orders.length).toBeGreaterThan(2_000)
  })

  test('dates the customers it begins with before its start', () => {
    const first = hour.rows.users.slice(0, 500)
    expect(first.every((user) => user.atMs < startMs && user.atMs >= Date.UTC(2019, 0, 1))).toBe(true)
    expect(hour.rows.users.every((user) => user.age >= 12 && user.age <= 70)).toBe(true)
  })

  test('measures the time of known visitors alone, in whole seconds a page view', () => {
    const users = new Set(hour.rows.users.map((user) => user.id))
    const fits = (metric: Rows['userMetrics']) =>
      users.has(metric.userId) && metric.pageViews > 0 && metric.seconds > 0 && Number.isInteger(metric.seconds)
    expect(hour.rows.userMetrics.filter((metric) => !fits(metric))).toEqual([])
  })

  test('posts a few messages a minute, of all three kinds', () => {
    expect(hour.rows.messages.length / 60).toBeGreaterThan(2)
    expect(hour.rows.messages.length / 60).toBeLessThan(8)
    expect(new Set(hour.rows.messages.map((message) => message.severity)).size).toBe(3)
  })
})

describe('the past', () => {
  test('follows the shape of day and week, and meets the present at the rate asked for', () => {
    const { profile } = makeTraffic({ ratePerSecond: 20, liveAtMs: startMs })
    expect(profile(startMs).sessionsPerSecond).toBe(20)
    expect(profile(startMs - 1).sessionsPerSecond).toBeCloseTo(20, 1)
    expect(profile(startMs + 12 * hourMs).sessionsPerSecond).toBe(20)
    const evening = Date.UTC(2026, 10, 17, 19, 30)
    const night = Date.UTC(2026, 10, 17, 5, 30)
    expect(dayShape(evening) / dayShape(night)).toBeCloseTo(7.8 / 1.7, 1)
    expect(dayShape(Date.UTC(2026, 10, 15, 12, 30)) / dayShape(Date.UTC(2026, 10, 17, 12, 30))).toBeCloseTo(1.15, 2)
  })
})
