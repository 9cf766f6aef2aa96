// The postmaster of a cluster, as its postmaster.pid tells: alive, gone, or a stale note of one that was killed.
import { readFileSync, readlinkSync, realpathSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const pollMs = 20
const noteWrittenWithinMs = 5_000

export interface Postmaster {
  pid: number
  port: number
}

/** The postmaster that runs on `clusterDir`, or nothing. Removes the note of one that is gone. */
export function findPostmaster(clusterDir: string): Postmaster | undefined {
  const note = join(clusterDir, 'postmaster.pid')
  try {
    const lines = readFileSync(note, 'utf8').split('\n')
    const pid = Number(lines[0])
    if (isPostmaster(pid, clusterDir)) return { pid, port: Number(lines[3]) }
    // An empty note is being written just now, or was cut short by a crash.
    if (pid || Date.now() - statSync(note).mtimeMs > noteWrittenWithinMs) rmSync(note, { force: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  return undefined
}

/** The port of the last start, which PostgreSQL notes beside its data. */
export function lastPort(clusterDir: string): number | undefined {
  try {
    const port = /"-p" "(\d+)"/.exec(readFileSync(join(clusterDir, 'postmaster.opts'), 'utf8'))?.[1]
    return port === undefined ? undefined : Number(port)
  } catch {
    return undefined
  }
}

/** Asks the postmaster to end, cutting connections off, and waits for it; after `withinMs` it ends without a checkpoint. */
export async function stopPostmaster(clusterDir: string, pid: number, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs
  signal(pid, 'SIGINT')
  while (findPostmaster(clusterDir)?.pid === pid) {
    if (Date.now() > deadline) return signal(pid, 'SIGQUIT')
    await delay(pollMs)
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It is gone already.
  }
}

/** A process id is used again by others, so a live one counts only when it works in this very folder, as a postmaster does. */
function isPostmaster(pid: number, clusterDir: string): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    if (process.platform === 'linux') return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(clusterDir)
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
