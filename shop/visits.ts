// One visitor's session, live: events in order at a human pace; a buyer places one order, with its one purchase event.
import type { Agenda, Sleeper } from './agenda.ts'
import type { Catalogue, Product } from './catalogue.ts'
import type { Geography, Place } from './geography.ts'
import type { People, Person } from './people.ts'
import { makeWeighted, type Random } from './random.ts'
import type { EventRow, Gender, OrderRow, Sink } from './rows.ts'
import type { Traffic } from './traffic.ts'

export interface Visits {
  /** A visitor comes in; what he does follows by the agenda. */
  start(atMs: number): void
  /** Visitors in the shop now. */
  size(): number
}

export interface VisitDependencies {
  random: Random
  ids: Random
  agenda: Agenda
  catalogue: Catalogue
  geography: Geography
  people: People
  sink: Sink
  /** The traffic of the current second. */
  traffic: () => Traffic
  onOrder: (order: OrderRow, cents: number, place: Place) => void
  onCheckoutError: (atMs: number) => void
}

type Step = 'home' | 'department' | 'product' | 'cart' | 'cancel' | 'signup' | 'purchase' | 'leave'

const drawBrowser = makeWeighted(['Chrome', 'Safari', 'Firefox', 'IE', 'Other'], [0.5, 0.2, 0.2, 0.05, 0.05])
const drawSource = makeWeighted(['Email', 'Adwords', 'YouTube', 'Facebook', 'Organic'], [0.45, 0.3, 0.1, 0.1, 0.05])
const drawItems = makeWeighted([1, 2, 3, 4], [0.7, 0.2, 0.05, 0.05])
const drawReason = makeWeighted(
  ['payment_declined', 'payment_timeout', 'address_invalid', 'out_of_stock'],
  [6, 2, 1, 1],
)

const item: readonly Step[] = ['department', 'product', 'cart']
const buyerSteps = [1, 2, 3, 4].map((items) => [
  ...(items === 1 ? (['home'] as const) : []),
  ...Array.from({ length: items }, () => item).flat(),
])
/** Three of four visitors look, fill a cart and leave it; nobody buys here. */
const drawLook = makeWeighted<readonly Step[]>(
  [
    ['home'],
    ['product'],
    ['department', 'product'],
    ['home', 'department', 'product'],
    ['product', 'cart', 'cancel'],
    ['department', 'product', 'cart'],
    ['home', 'department', 'product', 'department', 'product'],
    ['home', 'department', 'product', 'product', 'product', 'cart'],
    ['department', 'product', 'department', 'product', 'cart', 'cancel'],
  ],
  [0.08, 0.14, 0.16, 0.16, 0.1, 0.14, 0.12, 0.05, 0.05],
)

// Of buyers, 12 % are new and sign up at the checkout; of lookers, 1 % sign up and 20 % are known.
const newBuyerShare = 0.12
const newLookerShare = 0.01
const knownLookerShare = 0.2
const retryShare = 0.6
const pauseSecondsMax = 179
const reportSeconds = 30

/** Log-normal pauses with a median of 17 s, never beyond the 179 s that theLook knows. */
function drawPauseMs(random: Random): number {
  return Math.min(Math.max(Math.exp(2.83 + 0.85 * random.normal()), 1), pauseSecondsMax) * 1_000
}

/** `haste`: visitors pause this many times less than people do; 1 but for tests and measurements. */
export function makeVisits(dependencies: VisitDependencies, { haste }: { haste: number }): Visits {
  const { random, agenda, people, geography, traffic } = dependencies
  let size = 0

  return {
    size: () => size,
    start(atMs) {
      const buyer = random.chance(traffic().buyerShare)
      const isNew = random.chance(buyer ? newBuyerShare : newLookerShare)
      const returning = (buyer && !isNew) || (!isNew && random.chance(knownLookerShare))
      const signsUp = (isNew && people.canRegister()) || (buyer && returning && people.size() === 0)
      const person = returning || (isNew && !signsUp) ? people.draw() : null
      const steps = [...(buyer ? buyerSteps[drawItems(random) - 1]! : drawLook(random))]
      if (signsUp) steps.push('signup')
      if (buyer && (signsUp || person)) steps.push('purchase')
      steps.push('leave')
      const place = person?.place ?? geography.draw(random)
      size++
      const visit = new Visit(dependencies, haste, steps, atMs, person, place, () => size--)
      agenda.add(atMs, visit)
    },
  }
}

// A class, as there are a hundred thousand of them at once on a busy day.
class Visit implements Sleeper {
  private readonly sessionId: string
  private readonly gender: Gender
  private readonly browser: string
  private readonly source: string
  private readonly ipAddress: string
  private readonly cart: Product[] = []
  private product: Product | null = null
  private index = 0
  private sequence = 0
  private pauseMs = 0
  private pageViews = 0
  private seconds = 0

  constructor(
    private readonly shop: VisitDependencies,
    private readonly haste: number,
    private readonly steps: readonly Step[],
    atMs: number,
    private person: Person | null,
    private readonly place: Place,
    private readonly onEnd: () => void,
  ) {
    const { random } = shop
    this.sessionId = shop.ids.uuid(atMs)
    this.gender = person?.gender ?? (random.chance(0.5) ? 'M' : 'F')
    this.browser = drawBrowser(random)
    this.source = drawSource(random)
    const address = random.bits()
    this.ipAddress = `${1 + ((address >>> 24) % 223)}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`
  }

  wake(atMs: number): void {
    const step = this.steps[this.index]!
    this.leavePage(atMs, step === 'leave')
    if (step === 'leave') return this.onEnd()
    const ended = this.take(step, atMs)
    this.pauseMs = drawPauseMs(this.shop.random) / this.haste
    if (ended) this.index++
    // Whoever buys or gives up at the checkout is gone when the page has been read.
    this.shop.agenda.add(atMs + this.pauseMs, this)
  }

  /** Does one step; false: the same step once more, later. */
  private take(step: Step, atMs: number): boolean {
    switch (step) {
      case 'department':
        this.product = this.choose()
        this.emit(step, departmentUri(this.product), atMs)
        return true
      case 'product':
        if (this.steps[this.index - 1] !== 'department') this.product = this.choose()
        this.emit(step, `/product/${this.product!.id}`, atMs)
        return true
      case 'cart':
        this.cart.push(this.product!)
        this.emit(step, '/cart', atMs)
        return true
      case 'signup':
        this.signUp(atMs)
        return true
      case 'purchase':
        return this.checkOut(atMs)
      default:
        this.emit(step, `/${step}`, atMs)
        return true
    }
  }

  private signUp(atMs: number): void {
    const { people } = this.shop
    const person = people.register(atMs, this.gender, this.place)
    this.person = person ?? people.draw()
    if (person) this.emit('signup', '/signup', atMs)
  }

  /** One order and its one purchase event; or an error, after which most try again. */
  private checkOut(atMs: number): boolean {
    const { random, ids, sink, traffic, onOrder, onCheckoutError } = this.shop
    if (!this.person) return true
    if (random.chance(traffic().checkoutErrorShare)) {
      this.emit('error', '/checkout', atMs, null, { step: 'checkout', reason: drawReason(random) })
      onCheckoutError(atMs)
      return !random.chance(retryShare)
    }
    const items = this.cart.map((product) => ({ productId: product.id, cents: product.cents }))
    const cents = items.reduce((sum, bought) => sum + bought.cents, 0)
    const order: OrderRow = { id: ids.uuid(atMs), userId: this.person.id, items, atMs }
    sink('orders', order)
    this.emit('purchase', '/purchase', atMs, cents, { orderId: order.id, items: items.length })
    onOrder(order, cents, this.place)
    return true
  }

  private choose(): Product {
    const products = this.shop.catalogue.ofDepartment(this.gender === 'M' ? 'Men' : 'Women')
    return products[this.shop.random.below(products.length)]!
  }

  /** Known visitors' page views and time spent are reported every half minute or so, and at the end. */
  private leavePage(atMs: number, last: boolean): void {
    if (this.index === 0 || !this.person) return
    if (this.steps[this.index - 1] !== 'signup') this.pageViews++
    this.seconds += this.pauseMs / 1_000
    if (this.pageViews === 0 || (this.seconds < reportSeconds && !last)) return
    const [pageViews, seconds] = [this.pageViews, Math.max(1, Math.round(this.seconds))]
    this.shop.sink('userMetrics', { userId: this.person.id, pageViews, seconds, atMs })
    this.pageViews = 0
    this.seconds = 0
  }

  private emit(
    type: string,
    uri: string,
    atMs: number,
    cents: number | null = null,
    properties: EventRow['properties'] = null,
  ): void {
    this.shop.sink('events', {
      type,
      userId: this.person?.id ?? null,
      sessionId: this.sessionId,
      sequence: ++this.sequence,
      place: this.place,
      ipAddress: this.ipAddress,
      browser: this.browser,
      trafficSource: this.source,
      uri,
      cents,
      properties,
      atMs,
    })
  }
}

function departmentUri(product: Product): string {
  const part = (text: string) => text.toLowerCase().replaceAll(' ', '')
  const brand = product.brand === '' ? '' : `/brand/${part(product.brand)}`
  return `/department/${product.department.toLowerCase()}/category/${part(product.category)}${brand}`
}
