// Who PostgreSQL runs as. It refuses to run as root; as root it runs as the owner of the data, or as the system user `postgres`.
import { execFileSync, spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { StartError } from '../startError.ts'

const systemUser = 'postgres'

/** What `spawn` needs to run a program as someone else; empty when this process already runs as a normal user. */
export interface Account {
  uid?: number
  gid?: number
}

/** The account for the cluster in `clusterDir`, which need not exist. Makes the system user when it is missing. */
export function findAccount(clusterDir: string): Account {
  if (process.getuid?.() !== 0) return {}
  const data = statSync(clusterDir, { throwIfNoEntry: false })
  if (data && data.uid !== 0) return { uid: data.uid, gid: data.gid }
  return lookUp() ?? make()
}

/** Whether that account can enter `dir`: one folder of mode 700 on the way is enough to keep it out. */
export function canEnter(account: Account, dir: string): boolean {
  return spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', dir], { ...account, cwd: '/', stdio: 'ignore' }).status === 0
}

function lookUp(): Account | undefined {
  const read = (flag: string) => Number(execFileSync('id', [flag, systemUser], { stdio: ['ignore', 'pipe', 'ignore'] }))
  try {
    return { uid: read('-u'), gid: read('-g') }
  } catch {
    return undefined
  }
}

function make(): Account {
  spawnSync('groupadd', ['--system', '--force', systemUser], { stdio: 'ignore' })
  spawnSync('useradd', ['--system', '-g', systemUser, '-M', '-s', '/usr/sbin/nologin', systemUser], { stdio: 'ignore' })
  const account = lookUp()
  if (account) return account
  throw new StartError(
    `PostgreSQL refuses to run as root and the system user "${systemUser}" could not be made: ` +
      `start as a normal user, make that user, or set DATABASE_URL to a PostgreSQL that runs already.`,
  )
}
