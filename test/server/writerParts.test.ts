// The writer's small parts, each by itself: ids, lines, runs of days, the queue's bounds, the rate.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalRows } from '../../server/ingest/hash.ts'
import type { Call } from '../../server/writer/call.ts'
import { copyLine, textField } from '../../server/writer/copy.ts'
import { makeLineBuffer } from '../../server/writer/lineBuffer.ts'
import { runsOf } from '../../server/writer/partitions.ts'
import { makeQueue, type Pending } from '../../server/writer/queue.ts'
import { makeStatistics } from '../../server/writer/statistics.ts'
import { makeUuid7 } from '../../server/writer/uuid7.ts'

describe('ids made here', () => {
  it('are version 7, differ, and grow, within a millisecond and when the clock steps back', () => {
    let now = 1_800_000_000_000
    const newId = makeUuid7(() => now)
    const ids = Array.from({ length: 10_000 }, (_, at) => {
      if (at === 5_000) now -= 60_000
      return newId()
    })
    expect(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toBe(
      true,
    )
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toEqual(ids.toSorted())
    expect(Number.parseInt((ids[0] as string).replace('-', '').slice(0, 12), 16)).toBe(1_800_000_000_000)
  })
})

describe('lines', () => {
  it('hold no tab or line end but those between fields and lines', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 20 }), { minLength: 1, maxLength: 5 }), (texts) => {
        const line = copyLine(texts.map(textField))
        expect(line.slice(0, -1).split('\t').length).toBe(texts.length)
        expect(line.indexOf('\n')).toBe(line.length - 1)
      }),
    )
  })

  it('are kept as bytes, however long, and known by where they start', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 1_000 }), { maxLength: 5 }), (lines) => {
        const buffer = makeLineBuffer(1)
        const starts = lines.map((line) => {
          const start = buffer.size()
          buffer.add(line, 'utf8')
          return start
        })
        expect(buffer.bytes().toString()).toBe(lines.join(''))
        lines.forEach((line, at) => {
          expect(
            buffer
              .bytes()
              .subarray(starts[at], starts[at + 1])
              .toString(),
          ).toBe(line)
        })
      }),
    )
  })
})

describe('runs of days', () => {
  it('cover the days given and no other', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 60 })), (days) => {
        const covered = runsOf(days).flatMap(([first, last]) =>
          Array.from({ length: last - first + 1 }, (_, at) => first + at),
        )
        expect(covered).toEqual(days.toSorted((a, b) => a - b))
      }),
    )
    expect(runsOf([5, 3, 4, 9])).toEqual([
      [3, 5],
      [9, 9],
    ])
  })
})

describe('the queue', () => {
  const pending = (rowCount: number, bytes = 1): Pending => ({
    call: { table: 'messages', rows: { lines: [] }, rowCount, bytes, rejected: [] } satisfies Call,
    queuedAt: 0,
    resolve: () => undefined,
    reject: () => undefined,
  })

  it('counts what was taken until it is released', () => {
    const queue = makeQueue(10, 100)
    const calls = [pending(4), pending(4)]
    for (const call of calls) queue.push(call)
    expect(queue.hasRoom(3, 1)).toBe(false)
    expect(queue.take(5)).toEqual([calls[0]])
    expect([queue.waitingRows(), queue.rows()]).toEqual([4, 8])
    queue.release(calls[0] as Pending)
    expect(queue.hasRoom(6, 1)).toBe(true)
    expect(queue.hasRoom(6, 100)).toBe(false)
  })

  it('gives a call larger than a group whole, and lets one larger than itself in when it is empty', () => {
    const queue = makeQueue(10, 100)
    expect(queue.hasRoom(50, 500)).toBe(true)
    queue.push(pending(50))
    expect(queue.take(5).length).toBe(1)
  })
})

describe('the rate', () => {
  it('is of the last five seconds', () => {
    let now = 10_000
    const statistics = makeStatistics(() => now)
    for (; now < 20_000; now += 100) statistics.count({ accepted: 10, duplicates: 0, rejected: [] })
    expect(statistics.rowsPerSecond()).toBeCloseTo(100, 0)
    now += 10_000
    expect(statistics.rowsPerSecond()).toBe(0)
  })
})

describe('the text rows are known again by', () => {
  it('is the same in any order of fields and differs with any value', () => {
    const rows = [
      { type: 'x', properties: { a: 1, b: [{ d: 1, c: 2 }] } },
      { type: 'y', city: null },
    ]
    expect(canonicalRows([{ properties: { b: [{ c: 2, d: 1 }], a: 1 }, type: 'x' }, { type: 'y' }])).toBe(
      canonicalRows(rows),
    )
    const others = [
      [{ type: 'y' }, { type: 'x' }],
      [{ type: 'x', properties: '{"a":1,"b":[{"c":2,"d":1}]}' }, { type: 'y' }],
      [
        { type: 'x', properties: { a: 1, b: [{ c: 2, d: 1 }] } },
        { type: 'y', city: '' },
      ],
      [{ type: 'x', properties: { a: 1, b: [{ c: 2, d: 1 }] } }, { type: 'y' }, {}],
    ]
    for (const other of others) expect(canonicalRows(other)).not.toBe(canonicalRows(rows))
  })
})
