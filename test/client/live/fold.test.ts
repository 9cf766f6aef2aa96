import { describe, expect, it } from 'vitest'
import { GAP } from '../../../client/live/fold/chain.ts'
import { foldBreakdown } from '../../../client/live/fold/breakdown.ts'
import { foldMessages, type MessagesFrame } from '../../../client/live/fold/messages.ts'
import { foldMetrics, type MetricsFrame } from '../../../client/live/fold/metrics.ts'
import { foldOrderItems, type OrderItemsFrame } from '../../../client/live/fold/orderItems.ts'
import type {
  MessagesSubscription,
  MetricsSubscription,
  OrderItemsSubscription,
  Severity,
} from '../../../client/api/generated/documents.ts'

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 12) + second * 1_000).toISOString()
const frameOf = <Frame>(folded: Frame | typeof GAP): Frame => {
  if (folded === GAP) throw new Error('a gap')
  return folded
}

function metrics(
  link: { kind?: 'SNAPSHOT' | 'DELTA'; cursor: string; previousCursor?: string },
  points: Record<number, number>,
  [start, end] = [0, 10],
): MetricsSubscription {
  return {
    metrics: {
      kind: link.kind ?? 'DELTA',
      cursor: link.cursor,
      previousCursor: link.previousCursor ?? null,
      windowStart: at(start),
      windowEnd: at(end),
      committedAt: null,
      totals: [{ metric: 'ORDERS', value: Object.values(points).length, previous: null }],
      points: Object.entries(points).map(([second, value]) => ({ bucket: at(Number(second)), values: [value] })),
    },
  }
}
const pointsOf = (frame: MetricsFrame) =>
  Object.fromEntries([...frame.points].map(([start, [value]]) => [new Date(start).getUTCSeconds(), value]))

describe('metrics', () => {
  const snapshot = metrics({ kind: 'SNAPSHOT', cursor: 'a' }, { 1: 10, 2: 20 })

  it('start with a snapshot and take deltas bucket by bucket', () => {
    const first = frameOf(foldMetrics(undefined, snapshot))
    const second = frameOf(foldMetrics(first, metrics({ cursor: 'b', previousCursor: 'a' }, { 2: 25, 3: 30 })))
    expect(pointsOf(second)).toEqual({ 1: 10, 2: 25, 3: 30 })
    expect(second.cursor).toBe('b')
    expect(second.totals.get('ORDERS')).toEqual({ value: 2, previous: null })
  })

  it('let buckets go that have left the window', () => {
    const first = frameOf(foldMetrics(undefined, snapshot))
    const moved = frameOf(foldMetrics(first, metrics({ cursor: 'b', previousCursor: 'a' }, { 11: 5 }, [2, 12])))
    expect(pointsOf(moved)).toEqual({ 2: 20, 11: 5 })
  })

  it('do not change a frame that a held view may still show', () => {
    const first = frameOf(foldMetrics(undefined, snapshot))
    foldMetrics(first, metrics({ cursor: 'b', previousCursor: 'a' }, { 1: 99 }, [1, 11]))
    expect(pointsOf(first)).toEqual({ 1: 10, 2: 20 })
  })

  it('are replaced whole by a later snapshot', () => {
    const first = frameOf(foldMetrics(undefined, snapshot))
    const again = frameOf(foldMetrics(first, metrics({ kind: 'SNAPSHOT', cursor: 'z' }, { 5: 1 })))
    expect(pointsOf(again)).toEqual({ 5: 1 })
  })

  it('report a gap when a delta does not follow on the message before', () => {
    const first = frameOf(foldMetrics(undefined, snapshot))
    expect(foldMetrics(first, metrics({ cursor: 'c', previousCursor: 'b' }, { 3: 1 }))).toBe(GAP)
    expect(foldMetrics(undefined, metrics({ cursor: 'b', previousCursor: 'a' }, { 3: 1 }))).toBe(GAP)
  })
})

describe('a breakdown', () => {
  it('comes whole in every message, and still reports a gap', () => {
    const update = (kind: 'SNAPSHOT' | 'DELTA', cursor: string, previousCursor: string | null, value: number) => ({
      metrics: {
        ...{ kind, cursor, previousCursor, windowStart: at(0), windowEnd: at(9), committedAt: null },
        breakdown: [{ key: 'Germany', other: false, values: [value] }],
      },
    })
    const first = frameOf(foldBreakdown(undefined, update('SNAPSHOT', 'a', null, 1)))
    expect(frameOf(foldBreakdown(first, update('DELTA', 'b', 'a', 2))).rows[0]?.values).toEqual([2])
    expect(foldBreakdown(first, update('DELTA', 'c', 'b', 3))).toBe(GAP)
  })
})

describe('order items', () => {
  type Row = OrderItemsSubscription['orderItems']['items'][number]
  const row = (itemId: string, second: number, status: Row['status'] = 'PROCESSING'): Row => ({
    itemId,
    orderId: `order of ${itemId}`,
    age: 40,
    gender: 'F',
    country: 'Spain',
    trafficSource: 'Search',
    category: 'Jeans',
    status,
    salePrice: '12.50',
    createdAt: at(second),
  })
  const update = (
    link: { kind?: 'SNAPSHOT' | 'DELTA'; cursor: string; previousCursor?: string },
    items: Row[],
    removed: string[] = [],
  ): OrderItemsSubscription => ({
    orderItems: {
      kind: link.kind ?? 'DELTA',
      cursor: link.cursor,
      previousCursor: link.previousCursor ?? null,
      ...{ windowStart: at(0), windowEnd: at(59), items, removed },
    },
  })
  const ids = (frame: OrderItemsFrame) => frame.items.map((item) => item.itemId)
  const first = frameOf(
    foldOrderItems(
      undefined,
      update({ kind: 'SNAPSHOT', cursor: 'a' }, [row('one', 1), row('three', 3), row('two', 2)]),
    ),
  )

  it('stand newest first', () => expect(ids(first)).toEqual(['three', 'two', 'one']))

  it('take in what came, change in place what changed, and drop what left', () => {
    const delta = update({ cursor: 'b', previousCursor: 'a' }, [row('late', 2.5), row('two', 2, 'SHIPPED')], ['one'])
    const next = frameOf(foldOrderItems(first, delta))
    expect(ids(next)).toEqual(['three', 'late', 'two'])
    expect(next.items[2]?.status).toBe('SHIPPED')
  })

  it('count only rows that are new, not those that changed', () => {
    const delta = update({ cursor: 'b', previousCursor: 'a' }, [row('four', 4), row('two', 2, 'SHIPPED')])
    expect(frameOf(foldOrderItems(first, delta)).arrived).toBe(1)
  })

  it('agree with sorting everything anew, whatever comes in whatever order', () => {
    let frame = first
    const truth = new Map(first.items.map((item) => [item.itemId, item.atMs]))
    for (let step = 0; step < 50; step++) {
      const came = Array.from({ length: step % 5 }, (_, n) =>
        row(`${step}-${n}`, ((step * 37 + n * 11) % 59) + 0.001 * n),
      )
      const removed = [...truth.keys()].filter((_, index) => (index + step) % 13 === 0)
      const delta = update({ cursor: `s${step}`, previousCursor: frame.cursor }, came, removed)
      frame = frameOf(foldOrderItems(frame, delta))
      for (const id of removed) truth.delete(id)
      for (const item of came) truth.set(item.itemId, Date.parse(item.createdAt))
    }
    const sorted = [...truth].sort(([a, x], [b, y]) => y - x || (a < b ? 1 : -1)).map(([id]) => id)
    expect(ids(frame)).toEqual(sorted)
  })

  it('report a gap', () => expect(foldOrderItems(first, update({ cursor: 'c', previousCursor: 'b' }, []))).toBe(GAP))
})

describe('messages', () => {
  const message = (messageId: string, severity: Severity, second: number) => ({
    ...{ messageId, severity, title: messageId, text: null, channel: null },
    createdAt: at(second),
  })
  type Row = ReturnType<typeof message>
  const update = (link: { kind?: 'SNAPSHOT'; cursor: string; previousCursor?: string }, messages: Row[]) =>
    ({
      messages: {
        kind: link.kind ?? 'DELTA',
        cursor: link.cursor,
        previousCursor: link.previousCursor ?? null,
        messages,
      },
    }) satisfies MessagesSubscription
  const ids = (frame: MessagesFrame, severity: Severity) =>
    frame.columns[severity].messages.map((found) => found.messageId)

  it('go into the column of their severity, newest first, and are counted', () => {
    const first = frameOf(
      foldMessages(
        undefined,
        update({ kind: 'SNAPSHOT', cursor: 'a' }, [message('s1', 'SUCCESS', 1), message('s2', 'SUCCESS', 2)]),
      ),
    )
    const delta = update({ cursor: 'b', previousCursor: 'a' }, [
      message('d1', 'DANGER', 3),
      message('s3', 'SUCCESS', 4),
    ])
    const next = frameOf(foldMessages(first, delta))
    expect(ids(next, 'SUCCESS')).toEqual(['s3', 's2', 's1'])
    expect(ids(next, 'DANGER')).toEqual(['d1'])
    expect(ids(next, 'WARNING')).toEqual([])
    expect(next.columns.SUCCESS.count).toBe(3)
    expect(next.arrived).toBe(2)
  })

  it('are bounded on screen while the counter goes on, and say when there may be older ones', () => {
    const full = Array.from({ length: 100 }, (_, n) => message(`old ${n}`, 'WARNING', n / 100))
    let frame = frameOf(foldMessages(undefined, update({ kind: 'SNAPSHOT', cursor: '0' }, full)))
    expect(frame.columns.WARNING.atLeast).toBe(true)
    expect(frame.columns.DANGER.atLeast).toBe(false)
    for (let n = 1; n <= 150; n++)
      frame = frameOf(
        foldMessages(
          frame,
          update({ cursor: `${n}`, previousCursor: `${n - 1}` }, [message(`new ${n}`, 'WARNING', 1 + n / 100)]),
        ),
      )
    expect(frame.columns.WARNING.messages).toHaveLength(200)
    expect(frame.columns.WARNING.messages[0]?.messageId).toBe('new 150')
    expect(frame.columns.WARNING.count).toBe(250)
  })
})
