// What is to happen next: a binary heap of sleepers, woken in the order of their times (equal times: first in, first out).

export interface Sleeper {
  /** Called once, at its time; may add itself again. */
  wake(atMs: number): void
}

export interface Agenda {
  add(atMs: number, sleeper: Sleeper): void
  /** Wakes everything due up to and including `toMs`, also what is added meanwhile. */
  advance(toMs: number): void
  /** Puts everything off by this much: time that did not happen for the shop. */
  shift(byMs: number): void
  size(): number
}

interface Entry {
  atMs: number
  turn: number
  sleeper: Sleeper
}

export function makeAgenda(): Agenda {
  const heap: Entry[] = []
  let turns = 0

  const before = (a: Entry, b: Entry) => a.atMs < b.atMs || (a.atMs === b.atMs && a.turn < b.turn)

  function rise(entry: Entry): void {
    let index = heap.length
    heap.push(entry)
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!before(entry, heap[parent]!)) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = entry
  }

  function takeFirst(): Entry {
    const first = heap[0]!
    const last = heap.pop()!
    if (heap.length > 0) sink(last)
    return first
  }

  function sink(entry: Entry): void {
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, entry)) break
      heap[index] = heap[child]!
      index = child
    }
    heap[index] = entry
  }

  return {
    add: (atMs, sleeper) => rise({ atMs, turn: turns++, sleeper }),
    advance(toMs) {
      while (heap.length > 0 && heap[0]!.atMs <= toMs) {
        const { atMs, sleeper } = takeFirst()
        sleeper.wake(atMs)
      }
    },
    shift(byMs) {
      for (const entry of heap) entry.atMs += byMs
    },
    size: () => heap.length,
  }
}
