// Calls that wait for a group, bounded in rows and bytes. What is being written counts until it is answered.
import type { Call } from './call.ts'
import type { Answer } from './transaction.ts'

/** A call with the promise its caller waits on. */
export interface Pending {
  call: Call
  queuedAt: number
  resolve(answer: Answer): void
  reject(error: Error): void
}

export interface Queue {
  /** Is there room for this much more? A single call is let in when all is empty, whatever its size. */
  hasRoom(rows: number, bytes: number): boolean
  push(pending: Pending): void
  /** Takes calls of up to `rowsMax` rows from the front, at least one call. They count until released. */
  take(rowsMax: number): Pending[]
  release(pending: Pending): void
  /** Calls, and their rows, not taken yet. */
  waitingCalls(): number
  waitingRows(): number
  oldestQueuedAt(): number | null
  /** Rows and bytes waiting or being written. */
  rows(): number
  bytes(): number
}

export function makeQueue(rowsMax: number, bytesMax: number): Queue {
  const waiting: Pending[] = []
  let waitingRows = 0
  let rows = 0
  let bytes = 0

  return {
    hasRoom: (moreRows, moreBytes) =>
      (rows + moreRows <= rowsMax && bytes + moreBytes <= bytesMax) || (rows === 0 && bytes === 0),
    push(pending) {
      waiting.push(pending)
      waitingRows += pending.call.rowCount
      rows += pending.call.rowCount
      bytes += pending.call.bytes
    },
    take(rowsMaxOfGroup) {
      let count = 0
      let taken = 0
      for (const { call } of waiting) {
        if (count > 0 && taken + call.rowCount > rowsMaxOfGroup) break
        taken += call.rowCount
        count += 1
      }
      waitingRows -= taken
      return waiting.splice(0, count)
    },
    release({ call }) {
      rows -= call.rowCount
      bytes -= call.bytes
    },
    waitingCalls: () => waiting.length,
    waitingRows: () => waitingRows,
    oldestQueuedAt: () => waiting[0]?.queuedAt ?? null,
    rows: () => rows,
    bytes: () => bytes,
  }
}
