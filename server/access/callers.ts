// Who calls, and what that caller may do: mutations want the role ingest, queries and subscriptions view; admin may do everything.
import { LookoutError } from '../errors.ts'

export const ROLES = ['ingest', 'view', 'admin'] as const

export type Role = (typeof ROLES)[number]

export interface Caller {
  /** The id of the key; idempotency keys are told apart by it. */
  readonly id: string
  /** Whether its calls are counted: those of a key are, those of this machine's own processes are not. */
  readonly isCounted: boolean
  readonly roles: readonly Role[]
  /** Calls `end` once when the key is revoked or expires, at once where that has happened; the answer takes that back. */
  onEnd(end: () => void): () => void
}

/** A caller, and how to end what it has under way. */
export interface Admitted {
  caller: Caller
  end(): void
}

export function makeCaller(id: string, roles: readonly Role[], { isCounted } = { isCounted: false }): Admitted {
  const ends = new Set<() => void>()
  let hasEnded = false
  return {
    caller: {
      id,
      roles,
      isCounted,
      onEnd(end) {
        if (hasEnded) end()
        else ends.add(end)
        return () => void ends.delete(end)
      },
    },
    end() {
      hasEnded = true
      for (const end of [...ends]) end()
      ends.clear()
    },
  }
}

const WHAT: Record<Role, string> = {
  ingest: 'send rows',
  view: 'read',
  admin: 'ask how the server does',
}

/** @throws LookoutError FORBIDDEN */
export function demand({ roles }: Caller, role: Role): void {
  if (roles.includes(role) || roles.includes('admin')) return
  throw new LookoutError('FORBIDDEN', `This key may not ${WHAT[role]}: that takes one of the role ${role} or admin.`)
}
