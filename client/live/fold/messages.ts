// The three columns of messages, newest first, each bounded; the counters go on past the bound.
import type { MessagesSubscription, Severity } from '../../api/generated/documents.ts'
import { follows, GAP } from './chain.ts'

export type Message = MessagesSubscription['messages']['messages'][number] & { atMs: number }

export interface MessageColumn {
  messages: readonly Message[]
  count: number
  /** True when the snapshot was full: older messages than those counted may exist. */
  atLeast: boolean
}

export interface MessagesFrame {
  cursor: string
  columns: Readonly<Record<Severity, MessageColumn>>
  /** Messages that came in deltas since the stream began. */
  arrived: number
  /** Ids of those that the last delta brought. */
  fresh: ReadonlySet<string>
}

/** A snapshot holds the newest 100 of each severity (the contract); a column on screen holds no more than twice that. */
const SNAPSHOT_ROWS = 100
const COLUMN_ROWS_MAX = 200

const newestFirst = (a: Message, b: Message) => b.atMs - a.atMs || (a.messageId < b.messageId ? 1 : -1)

export function foldMessages(
  frame: MessagesFrame | undefined,
  { messages: update }: MessagesSubscription,
): MessagesFrame | typeof GAP {
  if (!follows(frame?.cursor, update)) return GAP
  const delta = update.kind === 'DELTA' ? frame : undefined
  const messages = update.messages.map((message) => ({ ...message, atMs: Date.parse(message.createdAt) }))

  const column = (severity: Severity): MessageColumn => {
    const before = delta?.columns[severity]
    const known = new Set(before?.messages.map((message) => message.messageId))
    const came = messages.filter((message) => message.severity === severity && !known.has(message.messageId))
    if (before && came.length === 0) return before
    return {
      messages: [...came, ...(before?.messages ?? [])].sort(newestFirst).slice(0, COLUMN_ROWS_MAX),
      count: (before?.count ?? 0) + came.length,
      atLeast: before?.atLeast ?? came.length >= SNAPSHOT_ROWS,
    }
  }
  return {
    cursor: update.cursor,
    columns: { SUCCESS: column('SUCCESS'), WARNING: column('WARNING'), DANGER: column('DANGER') },
    arrived: (frame?.arrived ?? 0) + (delta ? messages.length : 0),
    fresh: new Set(delta ? messages.map((message) => message.messageId) : []),
  }
}
