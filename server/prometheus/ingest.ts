// What ingest tells, call by call: rows by outcome, rejections by code, and how long the acknowledgement took. The label
// `mutation` tells the forms apart: trackEvents is typed, ingestEvents the batch.
import { Counter, Histogram, type Registry } from 'prom-client'
import type { CallReport } from '../ingest/ingest.ts'
import { SECONDS } from './registry.ts'

/** Answers what is to be called after each call. */
export function nameCalls(registry: Registry): (report: CallReport) => void {
  const registers = [registry]
  const rows = new Counter({
    name: 'lookout_rows_total',
    help: 'Rows of answered calls, by outcome.',
    labelNames: ['mutation', 'outcome'],
    registers,
  })
  const rejections = new Counter({
    name: 'lookout_rows_rejected_total',
    help: 'Rejected rows, by code.',
    labelNames: ['mutation', 'code'],
    registers,
  })
  const calls = new Counter({
    name: 'lookout_calls_total',
    help: 'Calls: "answered", or the code of the error that the whole call got.',
    labelNames: ['mutation', 'outcome'],
    registers,
  })
  const seconds = new Histogram({
    name: 'lookout_acknowledgement_seconds',
    help: 'From the rows of a call being at hand to its acknowledgement, which comes after the commit.',
    labelNames: ['mutation'],
    buckets: SECONDS,
    registers,
  })

  return ({ mutation, tookMs, answer, errorCode }) => {
    calls.inc({ mutation, outcome: errorCode ?? 'answered' })
    if (!answer) return
    seconds.observe({ mutation }, tookMs / 1000)
    const { accepted, duplicates, rejected } = answer.result
    rows.inc({ mutation, outcome: 'accepted' }, answer.repeated ? 0 : accepted)
    rows.inc({ mutation, outcome: 'duplicate' }, answer.repeated ? accepted + duplicates : duplicates)
    rows.inc({ mutation, outcome: 'rejected' }, rejected.length)
    for (const { code } of rejected) rejections.inc({ mutation, code })
  }
}
