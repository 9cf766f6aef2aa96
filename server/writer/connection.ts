// A dedicated connection that comes back by itself: jittered back-off, and a clear word on whether it is there.
import type pg from 'pg'
import type { Logger } from 'pino'
import type { Database } from '../db/index.ts'

export interface ConnectionOptions {
  reconnectDelayMinMs: number
  reconnectDelayMaxMs: number
}

export interface Connection {
  /**
   * The connection, once it is there. Waits while it is being made; null as soon as an attempt has failed, after
   * `waitMs`, or when closed. With `patient`, failed attempts are waited out.
   */
  client(waitMs: number, patient?: boolean): Promise<pg.Client | null>
  /** false from a failed attempt to the next that works. */
  reachable(): boolean
  /** Has this client been lost? */
  lost(client: pg.Client): boolean
  /** Breaks the connection, in the middle of a statement too, and makes another. */
  reset(client: pg.Client): void
  close(): Promise<void>
}

/** `onChange` is called when the connection came or an attempt failed. */
export function makeConnection(
  { database, log, onChange }: { database: Pick<Database, 'connect'>; log: Logger; onChange: () => void },
  { reconnectDelayMinMs, reconnectDelayMaxMs }: ConnectionOptions,
): Connection {
  let current: pg.Client | null = null
  let failedAttempts = 0
  let closed = false
  let timer: NodeJS.Timeout | undefined
  let attempt: Promise<void> | null = null
  const waiting = new Set<() => void>()

  const changed = () => {
    for (const wake of [...waiting]) wake()
    onChange()
  }

  const dropped = (client: pg.Client) => {
    if (current !== client) return
    current = null
    if (!closed) connect()
  }

  const connect = () => {
    attempt ??= connectOnce().finally(() => {
      attempt = null
    })
  }

  async function connectOnce(): Promise<void> {
    try {
      const client = await database.connect()
      client.on('error', () => dropped(client))
      client.on('end', () => dropped(client))
      if (closed) return void (await client.end())
      if (failedAttempts > 0) log.info({ failedAttempts }, 'the writer has its database connection again')
      failedAttempts = 0
      current = client
    } catch (error) {
      if (closed) return
      if (failedAttempts === 0) log.warn({ err: error }, 'the writer has no database connection, and goes on trying')
      failedAttempts += 1
      const ceilingMs = Math.min(reconnectDelayMaxMs, reconnectDelayMinMs * 2 ** (failedAttempts - 1))
      // Between half and all of it, so that several servers do not come back in step.
      timer = setTimeout(connect, ceilingMs * (0.5 + Math.random() / 2))
    }
    changed()
  }

  connect()

  return {
    async client(waitMs, patient = false) {
      const deadline = Date.now() + waitMs
      while (!current && !closed && (patient || failedAttempts === 0)) {
        const leftMs = deadline - Date.now()
        if (leftMs <= 0) return null
        await new Promise<void>((resolve) => {
          const wake = () => {
            clearTimeout(late)
            waiting.delete(wake)
            resolve()
          }
          const late = setTimeout(wake, leftMs)
          waiting.add(wake)
        })
      }
      return current
    },
    reachable: () => failedAttempts === 0,
    lost: (client) => current !== client,
    reset(client) {
      // pg breaks the socket when a statement is under way.
      client.end().catch(() => undefined)
      dropped(client)
    },
    async close() {
      closed = true
      clearTimeout(timer)
      const client = current
      current = null
      changed()
      await attempt
      await client?.end().catch(() => undefined)
    },
  }
}
