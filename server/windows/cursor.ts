// A place in a stream of windowed metrics: which window, which keys were told apart, where it ended, what had committed.
import { createHash } from 'node:crypto'
import { LookoutError } from '../errors.ts'
import type { Summary } from './summary.ts'

export interface Place {
  /** Of the arguments. */
  hash: string
  /** Of the keys told apart and of whether there were more. */
  keysHash: string
  windowEndMs: number
  /** The change log's cursor. */
  log: string
}

export const keysHashOf = ({ topHash, rest }: Summary): string =>
  createHash('sha256').update(`${topHash}${rest}`).digest('base64url').slice(0, 8)

export const writeCursor = ({ hash, keysHash, windowEndMs, log }: Place): string =>
  Buffer.from(`m1;${hash};${keysHash};${windowEndMs};${log}`).toString('base64url')

const CURSOR = /^m1;([\w-]{16});([\w-]{8});(-?\d{1,16});([\w-]{1,32}:\d{1,20}:\d{1,20}:[\d,]{0,100000})$/

/** Of any stream of this API: what another kind of stream gave is a cursor still, only not of this one. */
const OTHER_CURSOR = /^[\w-]+;.+:\d+:\d+:[\d,]*$/

/**
 * Reads a cursor; null where it is one of another kind of stream.
 * @throws LookoutError BAD_REQUEST for what is no cursor at all.
 */
export function readCursor(text: string): Place | null {
  const plain = Buffer.from(text, 'base64url').toString('utf8')
  const match = CURSOR.exec(plain)
  if (match) {
    const [, hash, keysHash, windowEnd, log] = match as unknown as [string, string, string, string, string]
    return { hash, keysHash, windowEndMs: Number(windowEnd), log }
  }
  if (OTHER_CURSOR.test(plain)) return null
  throw new LookoutError('BAD_REQUEST', 'after is no cursor of a stream; hand back what a message gave as its cursor.')
}
