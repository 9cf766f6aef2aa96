// The door: which key a caller holds. All keys are in memory, and read again often enough that a revoked one ends within seconds.
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Database } from '../db/index.ts'
import { LookoutError } from '../errors.ts'
import { type Admitted, type Caller, makeCaller, type Role } from './callers.ts'
import { type ApiKey, isGood, readKeys } from './keyTable.ts'
import { isSame, type KeptToken, makeToken, readToken } from './token.ts'

export interface AccessOptions {
  /** Whether everything is open as long as no key was ever made. */
  openWithoutKeys: boolean
  /** How long a key that was revoked by another process goes on being good. */
  refreshMs: number
  /** Least time between two readings, however many callers come with what is no key. */
  readIntervalMs?: number
}

export interface Access {
  /**
   * Who sends this token. @throws LookoutError UNAUTHENTICATED where there is none, or it is not, or no longer, a key.
   */
  admit(token: string | undefined): Promise<Caller>
  /** Whether anyone at all could be admitted. */
  hasKeys(): boolean
  /** A token for a process that this one starts: good for as long as this process lives, and written down nowhere. */
  lend(name: string, roles: readonly Role[]): string
  close(): Promise<void>
}

interface Holder extends Admitted {
  key: KeptToken
}

/** Reads the keys once before it resolves. */
export async function makeAccess(
  { database, log }: { database: Pick<Database, 'pool'>; log: Logger },
  { openWithoutKeys, refreshMs, readIntervalMs = 100 }: AccessOptions,
): Promise<Access> {
  const holders = new Map<string, Holder>()
  const lent: Holder[] = []
  let anonymous: Admitted | undefined
  let timer: NodeJS.Timeout | undefined
  let closed = false

  function take(keys: readonly ApiKey[]): void {
    const now = Date.now()
    const good = new Map(keys.filter((key) => isGood(key, now)).map((key) => [key.id, key]))
    for (const [id, { caller, end }] of holders) {
      if (good.has(id)) continue
      holders.delete(id)
      log.info({ key: caller.id }, 'a key has ended, and its streams with it')
      end()
    }
    for (const [id, key] of good) {
      if (!holders.has(id)) holders.set(id, { key, ...makeCaller(id, [key.role], { isCounted: true }) })
    }
    // Revoked and expired keys count: the end of the last one must not open the door.
    const isOpen = openWithoutKeys && keys.length === 0
    if (isOpen) anonymous ??= makeCaller('anonymous', ['admin'])
    else {
      anonymous?.end()
      anonymous = undefined
    }
  }

  const refresh = coalesce(async () => take(await readKeys(database.pool)), readIntervalMs)

  function schedule(): void {
    timer = setTimeout(() => {
      refresh()
        // The keys known so far stay good: without its database the server has nothing to give away.
        .catch((error: unknown) => log.warn({ err: error }, 'the keys could not be read again'))
        .finally(() => closed || schedule())
    }, refreshMs)
  }

  function find(token: KeptToken): Caller | undefined {
    const holder = holders.get(token.id) ?? lent.find(({ key }) => key.id === token.id)
    return holder && isSame(holder.key, token) ? holder.caller : undefined
  }

  await refresh()
  schedule()

  return {
    async admit(text) {
      const token = text === undefined ? undefined : readToken(text)
      if (token) {
        const known = find(token)
        if (known) return known
        // It may have been made a moment ago, and be the first: the door is not open then.
        await refresh()
        const found = find(token)
        if (found) return found
      }
      if (anonymous) return anonymous.caller
      throw new LookoutError(
        'UNAUTHENTICATED',
        text === undefined
          ? 'An API key is needed: send it as "authorization: Bearer lookout_…".'
          : 'This API key is not known here, has expired or was revoked.',
      )
    },
    hasKeys: () => holders.size > 0,
    lend(name, roles) {
      const { token, ...key } = makeToken()
      lent.push({ key, ...makeCaller(name, roles) })
      return token
    },
    close() {
      closed = true
      clearTimeout(timer)
      return Promise.resolve()
    },
  }
}

/**
 * At most one run at a time, and one in `intervalMs`; a call meanwhile shares the next, which sees all that was there when it was
 * made.
 */
function coalesce(run: () => Promise<void>, intervalMs: number): () => Promise<void> {
  let last: Promise<void> = Promise.resolve()
  let next: Promise<void> | undefined
  let beganMs = Number.NEGATIVE_INFINITY
  async function begin(): Promise<void> {
    await delay(Math.max(0, beganMs + intervalMs - performance.now()))
    next = undefined
    beganMs = performance.now()
    await run()
  }
  return () => (next ??= last = last.then(begin, begin))
}
