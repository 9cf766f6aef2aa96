// Operational messages, a few a minute: deploys and big orders, slow payments and low stock, declined payments.
import type { Agenda, Sleeper } from './agenda.ts'
import type { Catalogue } from './catalogue.ts'
import type { Place } from './geography.ts'
import type { Random } from './random.ts'
import type { MessageRow, OrderRow, Severity, Sink } from './rows.ts'

export interface News {
  start(atMs: number): void
  order(order: OrderRow, cents: number, place: Place): void
  checkoutError(atMs: number): void
}

const meanGapMs = 20_000
const bigOrderCents = 60_000
const bigOrderGapMs = 45_000
const declineSpanMs = 60_000
const declinesRemembered = 1_000

export function makeNews(dependencies: { random: Random; agenda: Agenda; catalogue: Catalogue; sink: Sink }): News {
  const { random, agenda, catalogue, sink } = dependencies
  let release = 400 + random.below(200)
  let lastBigOrderMs = 0
  let declines: number[] = []

  const post = (severity: Severity, atMs: number, message: Omit<MessageRow, 'severity' | 'atMs'>) =>
    sink('messages', { severity, ...message, atMs })

  function deploy(atMs: number): void {
    const seconds = 35 + random.below(90)
    const service = ['checkout', 'catalogue', 'search', 'storefront'][random.below(4)]!
    post('SUCCESS', atMs, {
      title: `Deployed ${service} ${++release}`,
      text: `All checks passed after ${seconds} s.`,
      payload: { service, release, seconds },
      channel: 'deploy',
    })
  }

  function slowPayment(atMs: number): void {
    const p95Ms = 1_800 + random.below(2_600)
    post('WARNING', atMs, {
      title: 'Payment provider is slow',
      text: `95 % of payments took up to ${(p95Ms / 1_000).toFixed(1)} s over the last minute.`,
      payload: { p95Ms },
      channel: 'payments',
    })
  }

  function lowStock(atMs: number): void {
    const product = catalogue.products[random.below(catalogue.products.length)]!
    const left = 1 + random.below(5)
    const center = catalogue.centers.find(({ id }) => id === product.distributionCenterId)?.name ?? 'its centre'
    post('WARNING', atMs, {
      title: `Low stock: ${left} left`,
      text: `${product.name || product.category} at ${center}.`,
      payload: { productId: product.id, left },
      channel: 'stock',
    })
  }

  /** Speaks of the errors that did happen in the last minute; of none, it says nothing. */
  function declined(atMs: number): void {
    declines = declines.filter((declineMs) => declineMs > atMs - declineSpanMs)
    if (declines.length === 0) return
    const count = declines.length
    post('DANGER', atMs, {
      title: count === 1 ? 'A checkout failed' : `${count} checkouts failed within a minute`,
      text: 'Payments were declined or timed out at the checkout.',
      payload: { count, spanSeconds: declineSpanMs / 1_000 },
      channel: 'payments',
    })
  }

  const sleeper: Sleeper = {
    wake(atMs) {
      const draw = random.next()
      if (draw < 0.4) deploy(atMs)
      else if (draw < 0.6) slowPayment(atMs)
      else if (draw < 0.8) lowStock(atMs)
      else declined(atMs)
      agenda.add(atMs + random.exponential(meanGapMs), sleeper)
    },
  }

  return {
    start: (atMs) => agenda.add(atMs + random.exponential(meanGapMs), sleeper),
    order(order, cents, place) {
      if (cents < bigOrderCents || order.atMs - lastBigOrderMs < bigOrderGapMs) return
      lastBigOrderMs = order.atMs
      post('SUCCESS', order.atMs, {
        title: `Big order: $${(cents / 100).toFixed(2)}`,
        text: `${order.items.length} ${order.items.length === 1 ? 'item' : 'items'} to ${place.city}, ${place.country}.`,
        payload: { orderId: order.id, amount: (cents / 100).toFixed(2), country: place.country },
        channel: 'orders',
      })
    },
    checkoutError(atMs) {
      declines.push(atMs)
      if (declines.length > declinesRemembered) declines = declines.slice(-declinesRemembered / 2)
    },
  }
}
