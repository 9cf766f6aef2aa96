// Operational messages: COPY, nothing to look up.
import type pg from 'pg'
import type { Part } from '../call.ts'
import { copyLines, copyStatement } from '../copy.ts'

/** The order of a line's fields: the check writes lines in it. */
export const MESSAGE_COLUMNS = ['id', 'created_at', 'severity', 'title', 'text', 'payload', 'channel'] as const

const COPY_MESSAGES = copyStatement('messages', MESSAGE_COLUMNS)

export interface MessageRows {
  lines: string[]
}

export async function writeMessages(client: pg.ClientBase, parts: readonly Part<MessageRows>[]): Promise<void> {
  for (const { rows, result } of parts) result.accepted = rows.lines.length
  await copyLines(
    client,
    COPY_MESSAGES,
    parts.flatMap(({ rows }) => rows.lines),
  )
}
