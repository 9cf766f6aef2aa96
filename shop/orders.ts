// Open orders, followed to their end: Processing → Shipped → Complete → Returned, or Cancelled; each step at its own time.
import type { Agenda, Sleeper } from './agenda.ts'
import { type Life, lifeOf } from './life.ts'
import type { Random } from './random.ts'
import type { OrderStatus, Sink } from './rows.ts'
import type { Traffic } from './traffic.ts'

/** An order as it stands; `sinceMs` is when it took its status. */
export interface OpenOrder {
  orderId: string
  status: OrderStatus
  sinceMs: number
  /** 0 where not known: an order of an earlier run. */
  cents: number
  items: number
}

export interface Orders {
  /** Follows an order to its end; past the limit it stays as it is (see `left`). */
  follow(order: OpenOrder, nowMs: number): void
  /** Orders followed now. */
  size(): number
  /** Orders not followed since the last time this was asked, as the limit was reached. */
  left(): number
}

export function makeOrders(
  dependencies: { agenda: Agenda; random: Random; sink: Sink; traffic: () => Traffic },
  options: { speed: number; openOrdersMax: number },
): Orders {
  const { agenda, random, sink, traffic } = dependencies
  const followed = new Set<string>()
  let left = 0

  /** What comes next and when, or null at the end of an order's life. */
  function nextStep(order: OpenOrder, life: Life): { status: OrderStatus; atMs: number } | null {
    const at = (afterMs: number) => order.sinceMs + afterMs / options.speed
    if (order.status === 'PROCESSING' && life.cancelled) return { status: 'CANCELLED', atMs: at(life.cancelAfterMs) }
    if (order.status === 'PROCESSING') return { status: 'SHIPPED', atMs: at(life.shipAfterMs) }
    if (order.status === 'SHIPPED') return { status: 'COMPLETE', atMs: at(life.deliverAfterMs) }
    if (order.status !== 'COMPLETE' || life.returnDraw >= traffic().returnShare) return null
    return { status: 'RETURNED', atMs: at(life.returnAfterMs) }
  }

  function schedule(order: OpenOrder, earliestMs: number): void {
    const step = nextStep(order, lifeOf(order.orderId))
    if (!step) {
      followed.delete(order.orderId)
      return
    }
    const sleeper: Sleeper = {
      wake(atMs) {
        const { orderId, cents, items } = order
        sink('statuses', { orderId, from: order.status, to: step.status, cents, items, atMs })
        order.status = step.status
        order.sinceMs = atMs
        schedule(order, atMs)
      },
    }
    agenda.add(Math.max(step.atMs, earliestMs), sleeper)
  }

  return {
    size: () => followed.size,
    left() {
      const count = left
      left = 0
      return count
    },
    follow(order, nowMs) {
      if (followed.has(order.orderId)) return
      if (followed.size >= options.openOrdersMax) {
        left++
        return
      }
      followed.add(order.orderId)
      // Steps missed while no shop ran are made up for within a minute, not all at once.
      const missed = nextStep(order, lifeOf(order.orderId))
      const late = missed !== null && missed.atMs < nowMs
      schedule({ ...order }, late ? nowMs + random.between(0, 60_000) : nowMs)
    },
  }
}
