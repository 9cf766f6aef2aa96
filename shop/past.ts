// The back-fill: the simulation runs as fast as its rows are taken, until it has caught up with the present.
import type { Ledger } from './ledger.ts'
import type { Outbox } from './outbox.ts'
import type { Simulation } from './simulation.ts'

export interface Progress {
  /** From 0 to 1. */
  share: number
  rows: number
  rowsPerSecond: number
  remainingMs: number
}

export interface PastDependencies {
  simulation: Simulation
  outbox: Outbox
  ledger: Ledger
  onProgress: (progress: Progress) => void
  /** True once the shop is to stop. */
  closing: () => boolean
}

const stepMs = 1_000
const progressIntervalMs = 200
// A round must be this much shorter than the one before; else the server takes less than the shop's rate and never catches up.
const roundShareMax = 0.9

/** In rounds, as time goes on while one is written. Rows that still wait at the end are the outbox's. */
export async function writePast(dependencies: PastDependencies, options: { batchRowsMax: number }): Promise<void> {
  const { simulation, ledger, onProgress, closing } = dependencies
  const fromMs = simulation.nowMs()
  const startedMs = performance.now()

  function tell(share: number): void {
    const elapsedMs = performance.now() - startedMs
    const rows = ledger.acknowledged()
    const remainingMs = share > 0 ? (elapsedMs / share) * (1 - share) : 0
    onProgress({ share, rows, rowsPerSecond: (rows / elapsedMs) * 1_000, remainingMs })
  }

  let roundMs = Number.POSITIVE_INFINITY
  let behindMs = Date.now() - fromMs
  while (behindMs > stepMs && behindMs < roundMs * roundShareMax && !closing()) {
    roundMs = behindMs
    await writeUntil(dependencies, options, Date.now(), () =>
      tell((simulation.nowMs() - fromMs) / (Date.now() - fromMs)),
    )
    behindMs = Date.now() - simulation.nowMs()
  }
  if (!closing() && ledger.acknowledged() > 0) tell(1)
}

async function writeUntil(
  { simulation, outbox, closing }: PastDependencies,
  { batchRowsMax }: { batchRowsMax: number },
  untilMs: number,
  tell: () => void,
): Promise<void> {
  let toldMs = performance.now()
  while (!closing() && simulation.nowMs() < untilMs) {
    simulation.advance(Math.min(simulation.nowMs() + stepMs, untilMs))
    if (outbox.waiting() >= batchRowsMax) {
      await outbox.room()
      outbox.flush()
    }
    if (performance.now() - toldMs < progressIntervalMs) continue
    toldMs = performance.now()
    tell()
  }
}
