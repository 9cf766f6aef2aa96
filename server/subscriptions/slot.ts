// One subscriber's place for what is not sent yet: at most one message, into which later ones are merged. A subscriber
// that stops reading therefore costs no more than the rows of its stream, and gets the newest state when it returns.
import { makeOutlet, type Outlet } from '../outlet.ts'
import type { StreamRow } from './source.ts'

export interface RowsDelta<Row extends StreamRow> {
  /** Rows that came or changed. */
  items: Row[]
  /** Keys of rows that left. */
  removed: string[]
}

export type Merge<Row extends StreamRow> = (earlier: RowsDelta<Row>, later: RowsDelta<Row>) => RowsDelta<Row>

export interface Slot<Row extends StreamRow, Message> extends Omit<Outlet<Message>, 'wake'> {
  /** From now on the whole state is due, whatever was waiting. */
  pushSnapshot(): void
  /** Merges a delta into what waits; beyond `rowsMax` rows the whole state is due instead. */
  push(delta: RowsDelta<Row>, rowsMax: number, merge: Merge<Row>): void
  /** Merges a delta that came before what waits. */
  prepend(delta: RowsDelta<Row>, rowsMax: number): void
  /** Holds back what waits, until called with false. */
  hold(held: boolean): void
}

/** `message` makes what is sent of what is due, when it is taken; `onEnd` is called once, whoever ends the stream. */
export function makeSlot<Row extends StreamRow, Message>(
  message: (due: RowsDelta<Row> | 'snapshot') => Message,
  onEnd: () => void,
  onMerge?: () => void,
): Slot<Row, Message> {
  // A delta is kept as it came until it has to be merged: who waits for the same one is sent the same message.
  let due: RowsDelta<Row> | 'snapshot' | undefined
  let held = false

  const outlet = makeOutlet<Message>({
    take() {
      if (held || !due) return undefined
      const taken = due
      due = undefined
      return message(taken)
    },
    onEnd() {
      due = undefined
      onEnd()
    },
  })

  function add(
    earlier: RowsDelta<Row> | undefined,
    later: RowsDelta<Row>,
    rowsMax: number,
    merge: Merge<Row> = mergeDeltas,
  ): void {
    const merged = earlier ? merge(earlier, later) : later
    const rows = merged.items.length + merged.removed.length
    due = rows > rowsMax ? 'snapshot' : rows > 0 ? merged : undefined
    outlet.wake()
  }

  return {
    push(delta, rowsMax, merge) {
      if (due) onMerge?.()
      if (due !== 'snapshot') add(due, delta, rowsMax, merge)
    },
    prepend(delta, rowsMax) {
      if (due !== 'snapshot') add(due && delta, due ?? delta, rowsMax)
    },
    pushSnapshot() {
      due = 'snapshot'
      outlet.wake()
    },
    hold(on) {
      held = on
      outlet.wake()
    },
    end: (error) => outlet.end(error),
    stream: outlet.stream,
  }
}

export function mergeDeltas<Row extends StreamRow>(earlier: RowsDelta<Row>, later: RowsDelta<Row>): RowsDelta<Row> {
  const items = new Map<string, Row>()
  const removed = new Set<string>()
  for (const delta of [earlier, later]) {
    for (const id of delta.removed) {
      items.delete(id)
      removed.add(id)
    }
    for (const row of delta.items) {
      removed.delete(row.id)
      items.set(row.id, row)
    }
  }
  return { items: [...items.values()], removed: [...removed] }
}
