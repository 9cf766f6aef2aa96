// PostgreSQL's snapshots as values: which transactions had committed, and which of two snapshots is the later one.

/** pg_snapshot: all below xmin had ended, none from xmax on had, and of those between the ones in `running` had not. */
export interface Snapshot {
  xmin: bigint
  xmax: bigint
  running: ReadonlySet<bigint>
}

const SNAPSHOT = /^(\d{1,19}):(\d{1,19}):(\d{1,19}(?:,\d{1,19})*)?$/

/** Reads pg_snapshot's text; undefined where it is none. */
export function readSnapshot(text: string): Snapshot | undefined {
  const match = SNAPSHOT.exec(text)
  if (!match?.[1] || !match[2]) return undefined
  return {
    xmin: BigInt(match[1]),
    xmax: BigInt(match[2]),
    running: new Set(match[3] ? match[3].split(',').map(BigInt) : []),
  }
}

/** Whether `a` was taken after something had ended that `b` does not know of. Snapshots of one database are ordered. */
export const isLater = (a: Snapshot, b: Snapshot): boolean =>
  a.xmax > b.xmax || (a.xmax === b.xmax && (a.xmin > b.xmin || (a.xmin === b.xmin && a.running.size < b.running.size)))
