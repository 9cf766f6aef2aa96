// Rejected rows in the log: how many, why and at which field, now and then. No value of a row is written there.
import type { Logger } from 'pino'
import type { RejectedRow } from '../writer/call.ts'
import { EVENT_FIELD_NAMES } from './events.ts'
import type { CallReport } from './ingest.ts'

export interface RejectLogOptions {
  /** Between two lines about the same mutation and code. */
  lineIntervalMs: number
}

/** Answers what is to be called after each call. At most one line a mutation and code in each interval. */
export function makeRejectLog(
  { log, clock = Date.now }: { log: Logger; clock?: () => number },
  { lineIntervalMs }: RejectLogOptions = { lineIntervalMs: 10_000 },
): (report: CallReport) => void {
  // As many entries as there are mutations and codes.
  const lines = new Map<string, { rows: number; nextAt: number }>()

  return ({ mutation, answer }) => {
    if (!answer || answer.repeated) return
    const { rejected } = answer.result
    for (const code of new Set(rejected.map((row) => row.code))) {
      const ofCode = rejected.filter((row) => row.code === code)
      const line = lines.get(`${mutation} ${code}`) ?? { rows: 0, nextAt: 0 }
      lines.set(`${mutation} ${code}`, line)
      line.rows += ofCode.length
      if (clock() < line.nextAt) continue
      log.info({ mutation, code, path: pathOf(mutation, ofCode[0]), rows: line.rows }, 'rows were rejected')
      Object.assign(line, { rows: 0, nextAt: clock() + lineIntervalMs })
    }
  }
}

/** Of the first row. In a batch a field may have any name, a person's too; GraphQL lets no such name pass elsewhere. */
function pathOf(mutation: string, rejected: RejectedRow | undefined): string {
  const [field = '', ...more] = rejected?.path ?? []
  return mutation === 'ingestEvents' && !EVENT_FIELD_NAMES.has(field)
    ? '(no field of an event)'
    : [field, ...more].join('.')
}
