// One subscriber's place for what is not sent yet: at most one message, into which later ones are merged. A subscriber
// that stops reading therefore costs no more than the rows of its stream, and gets the newest state when it returns.
import { makeOutlet, type Outlet } from './outlet.ts'
import type { StreamRow } from './source.ts'

export interface RowsDelta<Row extends StreamRow> {
  /** Rows that came or changed. */
  items: Row[]
  /** Keys of rows that left. */
  removed: string[]
}

export interface Slot<Row extends StreamRow, Message> extends Omit<Outlet<Message>, 'wake'> {
  /** From now on the whole state is due, whatever was waiting. */
  pushSnapshot(): void
  /** Merges a delta into what waits; beyond `rowsMax` rows the whole state is due instead. */
  push(delta: RowsDelta<Row>, rowsMax: number): void
  /** Merges a delta that came before what waits. */
  prepend(delta: RowsDelta<Row>, rowsMax: number): void
  /** Holds back what waits, until called with false. */
  hold(held: boolean): void
}

/** `message` makes what is sent of what is due, when it is taken; `onEnd` is called once, whoever ends the stream. */
export function makeSlot<Row extends StreamRow, Message>(
  message: (due: RowsDelta<Row> | 'snapshot') => Message,
  onEnd: () => void,
): Slot<Row, Message> {
  let items = new Map<string, Row>()
  let removed = new Set<string>()
  let snapshotDue = false
  let held = false

  const { wake, end, iterator } = makeOutlet<Message>(take, () => {
    clear()
    onEnd()
  })

  function clear(): void {
    items = new Map()
    removed = new Set()
  }

  function take(): Message | undefined {
    if (held) return undefined
    if (snapshotDue) {
      snapshotDue = false
      return message('snapshot')
    }
    if (items.size === 0 && removed.size === 0) return undefined
    const delta = { items: [...items.values()], removed: [...removed] }
    clear()
    return message(delta)
  }

  function makeSnapshotDue(): void {
    clear()
    snapshotDue = true
  }

  function merge(delta: RowsDelta<Row>): void {
    for (const id of delta.removed) {
      items.delete(id)
      removed.add(id)
    }
    for (const row of delta.items) {
      removed.delete(row.id)
      items.set(row.id, row)
    }
  }

  function push(delta: RowsDelta<Row>, rowsMax: number): void {
    if (snapshotDue) return
    merge(delta)
    if (items.size + removed.size > rowsMax) makeSnapshotDue()
    wake()
  }

  return {
    push,
    prepend(delta, rowsMax) {
      const later = { items: [...items.values()], removed: [...removed] }
      clear()
      merge(delta)
      push(later, rowsMax)
    },
    pushSnapshot() {
      makeSnapshotDue()
      wake()
    },
    hold(on) {
      held = on
      wake()
    },
    end,
    iterator,
  }
}
