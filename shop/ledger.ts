// What this shop knows it has written: each row counted once its call was acknowledged, to be held against the tables.
import { type Kind, kinds, type OrderStatus, type Rows, type Severity } from './rows.ts'

export interface RejectedRow {
  index: number
  code: string
  path: string[]
  message: string
}

/** What every mutation answers. */
export interface IngestResult {
  accepted: number
  duplicates: number
  rejected: RejectedRow[]
}

export interface Tally {
  /** Rows handed over to be sent. */
  sent: number
  accepted: number
  duplicates: number
  rejected: number
  /** Rows of calls that ended in an error no repeat could mend; nothing of them was written. */
  refused: number
}

export interface Totals {
  rows: Record<Kind, Tally>
  /** Events by type, and the amounts of the purchases. */
  events: { byType: Record<string, number>; purchaseCents: number }
  orders: { count: number; items: number; cents: number; byStatus: Record<OrderStatus, StatusTotals> }
  userMetrics: { pageViews: number; seconds: number }
  messages: Record<Severity, number>
  /** Rows handed over that have no answer yet; after the close: that never got one. */
  unanswered: number
  /** The first rejection, or refused call, of each kind and code. */
  rejections: { kind: Kind; code: string; path: string; message: string }[]
}

export interface StatusTotals {
  orders: number
  items: number
  cents: number
}

export interface Ledger {
  sent(kind: Kind): void
  /** Enters the rows of an answered call; rejected ones are left out of all sums. */
  answered<K extends Kind>(kind: K, rows: readonly Rows[K][], result: IngestResult): void
  refused(kind: Kind, rows: number, message: string): void
  /** A copy of all totals. */
  totals(): Totals
  /** Rows acknowledged so far, of all kinds. */
  acknowledged(): number
}

const rejectionsKept = 20

export function makeLedger(): Ledger {
  const totals: Totals = {
    rows: Object.fromEntries(kinds.map((kind) => [kind, emptyTally()])) as Record<Kind, Tally>,
    events: { byType: {}, purchaseCents: 0 },
    orders: { count: 0, items: 0, cents: 0, byStatus: emptyStatuses() },
    userMetrics: { pageViews: 0, seconds: 0 },
    messages: { SUCCESS: 0, WARNING: 0, DANGER: 0 },
    unanswered: 0,
    rejections: [],
  }

  const enter: { [K in Kind]: (row: Rows[K]) => void } = {
    users: () => {},
    orders({ items }) {
      const cents = items.reduce((sum, item) => sum + item.cents, 0)
      totals.orders.count++
      totals.orders.items += items.length
      totals.orders.cents += cents
      move(totals.orders.byStatus.PROCESSING, 1, items.length, cents)
    },
    statuses({ from, to, items, cents }) {
      if (items === 0) return // an order of an earlier run: not in this ledger
      move(totals.orders.byStatus[from], -1, -items, -cents)
      move(totals.orders.byStatus[to], 1, items, cents)
    },
    events({ type, cents }) {
      totals.events.byType[type] = (totals.events.byType[type] ?? 0) + 1
      totals.events.purchaseCents += cents ?? 0
    },
    userMetrics({ pageViews, seconds }) {
      totals.userMetrics.pageViews += pageViews
      totals.userMetrics.seconds += seconds
    },
    messages({ severity }) {
      totals.messages[severity]++
    },
  }

  function remember(kind: Kind, code: string, path: string, message: string): void {
    if (totals.rejections.length >= rejectionsKept) return
    if (totals.rejections.some((known) => known.kind === kind && known.code === code)) return
    totals.rejections.push({ kind, code, path, message })
  }

  return {
    sent: (kind) => totals.rows[kind].sent++,
    answered(kind, rows, { accepted, duplicates, rejected }) {
      const tally = totals.rows[kind]
      tally.accepted += accepted
      tally.duplicates += duplicates
      tally.rejected += rejected.length
      for (const { code, path, message } of rejected) remember(kind, code, path.join('.'), message)
      const out = new Set(rejected.map(({ index }) => index))
      rows.forEach((row, index) => {
        if (!out.has(index)) enter[kind](row)
      })
    },
    refused(kind, rows, message) {
      totals.rows[kind].refused += rows
      remember(kind, 'REFUSED', '', message)
    },
    totals() {
      const answered = (tally: Tally) => tally.accepted + tally.duplicates + tally.rejected + tally.refused
      totals.unanswered = kinds.reduce((sum, kind) => sum + totals.rows[kind].sent - answered(totals.rows[kind]), 0)
      return structuredClone(totals)
    },
    acknowledged: () => kinds.reduce((sum, kind) => sum + totals.rows[kind].accepted + totals.rows[kind].duplicates, 0),
  }
}

function move(totals: StatusTotals, orders: number, items: number, cents: number): void {
  totals.orders += orders
  totals.items += items
  totals.cents += cents
}

function emptyTally(): Tally {
  return { sent: 0, accepted: 0, duplicates: 0, rejected: 0, refused: 0 }
}

function emptyStatuses(): Record<OrderStatus, StatusTotals> {
  const none = () => ({ orders: 0, items: 0, cents: 0 })
  return { PROCESSING: none(), SHIPPED: none(), COMPLETE: none(), CANCELLED: none(), RETURNED: none() }
}
