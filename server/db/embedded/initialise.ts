// Makes a cluster: under another name first, so that one cut short is never taken for one.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { StartError } from '../startError.ts'
import type { Account } from './account.ts'

export const superuser = 'lookout'
const majorVersion = '18'
const passwordFile = 'lookout.password'
/** Process ids come again, in containers above all, so a half older than this is nobody's. */
const halfMadeWithinMs = 300_000

/** Runs initdb unless `clusterDir` is a cluster already; returns its password. */
export async function initialise(
  initdb: string,
  clusterDir: string,
  account: Account,
  durable: boolean,
): Promise<string> {
  sweep(clusterDir)
  if (!existsSync(join(clusterDir, 'PG_VERSION'))) {
    if (existsSync(clusterDir) && readdirSync(clusterDir).length > 0) {
      throw new StartError(
        `${clusterDir} holds something else than a PostgreSQL cluster: move it away and start again.`,
      )
    }
    await make(initdb, clusterDir, account, durable)
  }
  const version = readFileSync(join(clusterDir, 'PG_VERSION'), 'utf8').trim()
  if (version === majorVersion) return readPassword(clusterDir)
  throw new StartError(
    `${clusterDir} was made by PostgreSQL ${version}, and this is ${majorVersion}: ` +
      `set LOOKOUT_DATA_DIR to a new folder, or move the data with pg_dump and pg_restore.`,
  )
}

/** The superuser's, kept beside the data where PostgreSQL's own user alone may read it. */
export const readPassword = (clusterDir: string): string => readFileSync(join(clusterDir, passwordFile), 'utf8')

async function make(initdb: string, clusterDir: string, account: Account, durable: boolean): Promise<void> {
  const half = mkdtempSync(`${clusterDir}.half-${process.pid}-`)
  const password = randomBytes(12).toString('hex')
  const pwfile = join(half, passwordFile)
  try {
    writeFileSync(pwfile, password, { mode: 0o600 })
    if (account.uid !== undefined)
      for (const path of [half, pwfile]) chownSync(path, account.uid, account.gid ?? account.uid)
    const data = join(half, 'data')
    await run(initdb, account, [
      `--pgdata=${data}`,
      `--username=${superuser}`,
      `--pwfile=${pwfile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // The builtin provider sorts by code point and knows Unicode's upper and lower case, alike on every machine.
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-instructions',
      ...(durable ? [] : ['--no-sync']),
    ])
    renameSync(pwfile, join(data, passwordFile))
    renameSync(data, clusterDir)
  } catch (error) {
    if (!existsSync(join(clusterDir, 'PG_VERSION'))) throw error // Otherwise another start was quicker.
  } finally {
    rmSync(half, { recursive: true, force: true })
  }
}

function run(program: string, account: Account, args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      ...account,
      cwd: '/',
      env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const end = () => child.kill('SIGKILL')
    process.once('exit', end)
    child.once('exit', () => process.off('exit', end))
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) return resolve()
      const reason = said.trim().split('\n').slice(-3).join(' ')
      reject(new StartError(`PostgreSQL's data could not be made in ${dirname(args[0] ?? '')}: ${reason}`))
    })
  })
}

/** What starts that were killed half-way left. */
function sweep(clusterDir: string): void {
  const name = new RegExp(`^${basename(clusterDir)}\\.half-(\\d+)-`)
  for (const entry of readdirSync(dirname(clusterDir))) {
    const pid = Number(name.exec(entry)?.[1])
    const half = join(dirname(clusterDir), entry)
    if (!pid || (isAlive(pid) && Date.now() - statSync(half).mtimeMs < halfMadeWithinMs)) continue
    try {
      rmSync(half, { recursive: true, force: true })
    } catch {
      // An initdb that outlived its start still writes there: the next start sweeps again.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
