// A breakdown comes whole in every message: folding is replacing, once the chain holds.
import type { BreakdownSubscription } from '../../api/generated/documents.ts'
import { follows, GAP } from './chain.ts'

export interface BreakdownFrame {
  cursor: string
  rows: readonly { key: string | null; other: boolean; values: readonly (number | null)[] }[]
}

export function foldBreakdown(
  frame: BreakdownFrame | undefined,
  { metrics: update }: BreakdownSubscription,
): BreakdownFrame | typeof GAP {
  return follows(frame?.cursor, update) ? { cursor: update.cursor, rows: update.breakdown } : GAP
}
