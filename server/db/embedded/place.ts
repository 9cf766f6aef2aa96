// Where the cluster's files go: below the data folder, or elsewhere with a link from there when PostgreSQL's own user cannot get in.
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  realpathSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Logger } from 'pino'
import { StartError } from '../startError.ts'
import { canEnter, findAccount } from './account.ts'
import { sharedDir } from './binaries.ts'

const clusterName = 'postgres'

/** The real path of the cluster's folder, whose parent exists. Deleting the data folder deletes the link, and so starts anew. */
export function placeCluster(dataDir: string, log: Logger): string {
  try {
    return place(dataDir, log)
  } catch (error) {
    if (error instanceof StartError) throw error
    const { code } = error as NodeJS.ErrnoException
    throw new StartError(
      `The data folder ${dataDir} cannot be used (${code}): set LOOKOUT_DATA_DIR to a folder that this user may write.`,
    )
  }
}

function place(dataDir: string, log: Logger): string {
  mkdirSync(dataDir, { recursive: true, mode: 0o755 })
  const link = join(realpathSync(dataDir), clusterName)
  if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink()) {
    if (!existsSync(link)) mkdirSync(dirname(readlinkSync(link)), { recursive: true, mode: 0o755 })
    return existsSync(link) ? realpathSync(link) : readlinkSync(link)
  }

  const account = findAccount(link)
  if (account.uid === undefined || canEnter(account, dirname(link))) return link
  if (canEnter(account, dirname(dirname(link)))) {
    // Only the data folder itself is closed: passing through (not reading) it is allowed from here on.
    chmodSync(dirname(link), statSync(dirname(link)).mode | 0o011)
    return link
  }

  mkdirSync(sharedDir, { recursive: true, mode: 0o755 })
  const elsewhere = mkdtempSync(join(sharedDir, `${basename(dirname(dirname(link))) || 'data'}-`))
  chmodSync(elsewhere, 0o755)
  symlinkSync(join(elsewhere, clusterName), link)
  log.info(
    { dataDir: elsewhere, link },
    `PostgreSQL's own user cannot reach ${dataDir}: the data is kept in ${elsewhere}`,
  )
  return join(elsewhere, clusterName)
}
