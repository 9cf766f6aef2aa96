// A window as it was last read: its numbers, the place in the change log that they were read at, and when what they show was
// committed. It is brought up to the present as a whole; where that fails nothing is held, and the next time all is read anew.
import type { ClientBase } from 'pg'
import { type Change, type Changes, changesSince, newestCommit } from '../changes/changes.ts'
import type { Asked } from './asked.ts'
import { keysHashOf, writeCursor } from './cursor.ts'
import type { WindowLimits } from './limits.ts'
import type { MessageContext } from './messages.ts'
import { makePlan } from './plan.ts'
import type { Reader, ReadOptions } from './reader.ts'
import { makeWindowState } from './windowState.ts'

export interface Picture extends MessageContext {
  isLoaded(): boolean
  /** Reads what changed, or the whole where nothing is held or that fails. */
  advance(nowMs: () => number, options: ReadOptions): Promise<'whole' | 'changes'>
  /** A client's place in the stream. */
  cursor(): string
  /** Newest commit in the window; null where none is known. */
  committedAt(): Date | null
  /** The same among what came since this was called last. */
  takeFresh(): Date | null
}

export interface PictureDependencies {
  reader: Reader
  changes: Pick<Changes, 'cursor' | 'newest'>
}

const later = (a: Date | null, b: Date | null): Date | null => (a && b ? (a > b ? a : b) : (a ?? b))

export function makePicture(asked: Asked, { reader, changes }: PictureDependencies, limits: WindowLimits): Picture {
  const plan = makePlan(asked)
  const state = makeWindowState(plan, asked, limits)
  /** Of the change log, at the snapshot the state was read in; null: nothing is loaded. */
  let log: string | null = null
  let committedAt: Date | null = null
  let freshCommittedAt: Date | null = null

  /** Notes when the newest of the changes in the window was committed. */
  function note(changed: readonly Change[]): void {
    const newest = newestCommit(changed.filter((change) => state.shows(change)))
    committedAt = later(committedAt, newest)
    freshCommittedAt = later(freshCommittedAt, newest)
  }

  async function load(client: ClientBase, since: string | null, nowMs: number): Promise<boolean> {
    const look = await changesSince(client, since)
    if (look === 'expired') return false
    await state.load(client, nowMs)
    const { from, to } = state.bounds()
    committedAt = changes.newest(state.views(), from, to)
    note(look.changes)
    freshCommittedAt = null
    log = look.cursor
    return true
  }

  async function update(client: ClientBase, since: string, nowMs: number): Promise<boolean> {
    const look = await changesSince(client, since, state.views())
    if (look === 'expired') return false
    const concerned = look.changes.filter((change) => state.concerns(change))
    if (!(await state.refresh(client, concerned, nowMs))) return false
    note(look.changes)
    log = look.cursor
    return true
  }

  /** Whether what changed could be read. */
  async function follow(nowMs: () => number, { alone, took }: ReadOptions): Promise<boolean> {
    const from = log
    if (from === null) return false
    // Others do not wait for distinct counts, which take long.
    const shares = !alone && !state.counts()
    try {
      return await reader.read((client) => update(client, from, nowMs()), { alone: !shares, took })
    } catch (error) {
      // What was read halfway cannot be told from what was not.
      log = null
      // Another window's statement, which ended the transaction of both, is no fault of this one.
      if (shares) return false
      throw error
    }
  }

  return {
    plan,
    bucketMs: asked.bucketMs,
    state,
    isLoaded: () => log !== null,
    async advance(nowMs, options) {
      if (await follow(nowMs, options)) return 'changes'
      const alone = { ...options, alone: true }
      try {
        const reached = await reader.read((client) => load(client, changes.cursor(), nowMs()), alone)
        // Where the change log does not reach back, the window begins anew, from now.
        if (!reached) await reader.read((client) => load(client, null, nowMs()), alone)
        return 'whole'
      } catch (error) {
        log = null
        throw error
      }
    },
    cursor: () =>
      writeCursor({
        hash: asked.hash,
        keysHash: keysHashOf(state.summary()),
        windowEndMs: state.bounds().to,
        log: log!,
      }),
    committedAt: () => committedAt,
    takeFresh() {
      const fresh = freshCommittedAt
      freshCommittedAt = null
      return fresh
    },
  }
}
