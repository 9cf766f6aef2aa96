// A place in a stream of rows: what had committed, where the window began, and which stream it was.
import { createHash } from 'node:crypto'
import { LookoutError } from '../errors.ts'
import { readSnapshot, type Snapshot } from './snapshot.ts'

export interface Place {
  /** The change log's cursor: `<epoch>:<pg_snapshot>`. */
  log: string
  windowStart: Date
}

/** A place read back, with the parts of its cursor. */
export interface ReadPlace extends Place {
  epoch: string
  snapshotText: string
  snapshot: Snapshot
}

/** Takes the change log's cursor apart; undefined where it is none. */
export function readLogCursor(log: string): Omit<ReadPlace, 'windowStart'> | undefined {
  const colon = log.indexOf(':')
  const snapshotText = log.slice(colon + 1)
  const snapshot = colon < 0 ? undefined : readSnapshot(snapshotText)
  return snapshot && { log, epoch: log.slice(0, colon), snapshotText, snapshot }
}

/** Marks a stream's arguments, so that a cursor is good for the same ones alone. */
export const markOf = (stream: unknown[]): string =>
  createHash('sha256').update(JSON.stringify(stream)).digest('base64url').slice(0, 12)

export const writeCursor = ({ log, windowStart }: Place, mark: string): string =>
  Buffer.from(`${mark};${windowStart.getTime()};${log}`).toString('base64url')

const CURSOR = /^([\w-]{12});(\d{1,16});(.{1,100000})$/

/**
 * Reads a cursor of the stream `mark`; null where it belongs to a stream with other arguments.
 * @throws LookoutError BAD_REQUEST for what is no cursor at all.
 */
export function readCursor(text: string, mark: string): ReadPlace | null {
  const match = CURSOR.exec(Buffer.from(text, 'base64url').toString('utf8'))
  const log = match?.[3] && readLogCursor(match[3])
  if (!match || !log) throw new LookoutError('BAD_REQUEST', 'This is no cursor of a stream.')
  if (match[1] !== mark) return null
  return { ...log, windowStart: new Date(Number(match[2])) }
}
