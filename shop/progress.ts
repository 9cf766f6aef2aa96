// What the shop shows while it runs: a progress bar (a line now and then where there is no terminal), and a status line.
import type { Totals } from './ledger.ts'
import type { Progress } from './past.ts'
import type { ShopStatus } from './shop.ts'

export interface Screen {
  write(text: string): unknown
  isTTY?: boolean
}

export interface Display {
  say(sentence: string): void
  progress(progress: Progress): void
  /** Says that the shop is open; status lines count from here. */
  opened(status: ShopStatus): void
  /** One line about the time since the last one. */
  status(status: ShopStatus, totals: Totals): void
}

const barCells = 30
const lineIntervalMs = 2_000

export function makeDisplay(screen: Screen, nowMs: () => number = Date.now): Display {
  let barShown = false
  let toldMs = Number.NEGATIVE_INFINITY
  let last = { atMs: nowMs(), sessions: 0, rows: 0 }

  function line(text: string): void {
    screen.write(`${barShown ? '\r\x1b[K' : ''}${text}\n`)
    barShown = false
  }

  return {
    say: (sentence) => line(sentence),
    progress(progress) {
      const done = progress.share >= 1
      if (screen.isTTY) {
        screen.write(`\r\x1b[K${barOf(progress.share)} ${figures(progress)}`)
        barShown = true
        if (done) line(`Wrote the past: ${figures(progress)}`)
      } else if (done || nowMs() - toldMs >= lineIntervalMs) {
        toldMs = nowMs()
        line(`${done ? 'Wrote the past:' : 'Writing the past:'} ${figures(progress)}`)
      }
    },
    opened(status) {
      line('The shop is open.')
      last = { atMs: nowMs(), sessions: status.sessionsStarted, rows: status.rowsAcknowledged }
    },
    status(status, totals) {
      const seconds = Math.max((nowMs() - last.atMs) / 1_000, 0.001)
      const perSecond = (count: number) => (count / seconds).toFixed(1)
      const rejected = Object.values(totals.rows).reduce((sum, tally) => sum + tally.rejected + tally.refused, 0)
      const parts = [
        `${perSecond(status.sessionsStarted - last.sessions)} sessions/s`,
        `${perSecond(status.rowsAcknowledged - last.rows)} rows/s`,
        `${count(status.visitors)} visitors`,
        `${count(status.openOrders)} open orders`,
        `${count(status.backlogRows)} rows waiting`,
        `${count(rejected)} rejected`,
      ]
      if (status.latencyMs !== null) parts.push(`${status.latencyMs.toFixed(0)} ms a call`)
      if (status.trouble) parts.push(status.trouble)
      line(`${new Date(nowMs()).toISOString().slice(11, 19)}  ${parts.join(' · ')}`)
      last = { atMs: nowMs(), sessions: status.sessionsStarted, rows: status.rowsAcknowledged }
    },
  }
}

function barOf(share: number): string {
  const filled = Math.round(Math.min(share, 1) * barCells)
  return `[${'█'.repeat(filled)}${'·'.repeat(barCells - filled)}]`
}

function figures({ share, rows, rowsPerSecond, remainingMs }: Progress): string {
  const done = `${count(rows)} rows · ${count(Math.round(rowsPerSecond))} rows/s`
  return share >= 1 ? done : `${Math.floor(share * 100)} % · ${done} · ${Math.ceil(remainingMs / 1_000)} s left`
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}
