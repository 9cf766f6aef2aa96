// Makes, lists and ends the API's keys: `npm run keys -- --help`. Works beside a running server and without one.
import { parseArgs } from 'node:util'
import { type Role, ROLES } from '../server/access/callers.ts'
import { type ApiKey, createKey, forgetKeys, isGood, readKeys, revokeKey } from '../server/access/keyTable.ts'
import { ConfigError, readConfig } from '../server/config.ts'
import { joinPostgres, prepareTables, StartError } from '../server/db/index.ts'
import { withClient } from '../server/db/client.ts'
import { LookoutError } from '../server/errors.ts'
import { makeLog } from '../server/log.ts'
import type pg from 'pg'

const help = `Lookout's API keys.

  npm run keys -- create --role ROLE --name NAME [--expires SPAN]
  npm run keys -- list
  npm run keys -- revoke ID
  npm run keys -- forget

  --role ROLE      ingest: mutations; view: queries and subscriptions; admin: everything
  --name NAME      who or what holds it, such as "wall screen"
  --expires SPAN   how long it is good: 12h, 90d, 52w (for ever)

create shows the key once: only a hash of it is kept. A running server takes a new key at once;
a revoked one ends within seconds, and the streams opened with it. forget takes revoked and
expired keys off the list; with no key on it, a server on loopback is open to all again.
The database is the server's own: DATABASE_URL, or the embedded one in LOOKOUT_DATA_DIR.`

const nameCharsMax = 100
const spanDaysMax = 3_650
const unitMs: Record<string, number> = { h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 }

class UsageError extends Error {}

type Command = (database: pg.Client) => Promise<string>

/** What the command line asks for; nothing: help. */
function readCommand(args: string[]): Command | undefined {
  const { values, positionals } = parse(args)
  const [command, id, ...rest] = positionals
  if (values.help || command === undefined) return undefined
  if (rest.length > 0 || (id !== undefined && command !== 'revoke')) {
    throw new UsageError('More words than this command takes: a name of several words wants quotes.')
  }
  if (command === 'create') return create(readNewKey(values))
  if (command === 'list') return list
  if (command === 'forget') return forget
  if (command !== 'revoke') throw new UsageError(`"${command}" is none of create, list, revoke, forget.`)
  if (id === undefined) throw new UsageError('revoke takes the id of a key, as `npm run keys -- list` shows it.')
  return revoke(id)
}

interface Values {
  role?: string
  name?: string
  expires?: string
  help?: boolean
}

function parse(args: string[]): { values: Values; positionals: string[] } {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        role: { type: 'string' },
        name: { type: 'string' },
        expires: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function readNewKey({ role, name = '', expires }: Values): { name: string; role: Role; expiresAt: Date | null } {
  const faults: string[] = []
  const known = ROLES.find((each) => each === role)
  if (!known) faults.push(`--role must be one of ${ROLES.join(', ')}; got ${JSON.stringify(role)}.`)
  if (!/^\P{C}+$/u.test(name.trim()) || name.length > nameCharsMax) {
    faults.push(`--name must say who or what holds the key, in up to ${nameCharsMax} characters.`)
  }
  const [, count, unit = ''] = /^(\d+)([hdw])$/.exec(expires ?? '') ?? []
  const spanMs = Number(count) * (unitMs[unit] ?? Number.NaN)
  if (expires !== undefined && !(spanMs > 0 && spanMs <= spanDaysMax * 86_400_000)) {
    faults.push(`--expires must be a span of up to ${spanDaysMax} days, such as 12h, 90d or 52w; got "${expires}".`)
  }
  if (!known || faults.length > 0) throw new UsageError(faults.join('\n'))
  return { name: name.trim(), role: known, expiresAt: expires === undefined ? null : new Date(Date.now() + spanMs) }
}

const create =
  (key: { name: string; role: Role; expiresAt: Date | null }): Command =>
  async (database) => {
    const { id, token } = await createKey(database, key)
    const until = key.expiresAt ? `until ${key.expiresAt.toISOString()}` : 'until it is revoked'
    // The key alone goes to standard output, so that a script can take it.
    process.stderr.write(`Key ${id} for "${key.name}" (${key.role}), good ${until}. It is shown this once:\n`)
    return token
  }

const list: Command = async (database) => {
  const keys = await readKeys(database)
  if (keys.length === 0) return 'There are no keys.'
  const now = Date.now()
  const rows = keys.map((key) => [key.id, key.role, day(key.createdAt), stateOf(key, now), key.name])
  const all = [['id', 'role', 'made', 'state', 'name'], ...rows]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => row[column]!.length)))
  return all.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n')
}

const day = (at: Date) => at.toISOString().slice(0, 10)

function stateOf(key: ApiKey, now: number): string {
  if (key.revokedAt) return `revoked ${day(key.revokedAt)}`
  if (!key.expiresAt) return 'good'
  return `${isGood(key, now) ? 'good until' : 'expired'} ${day(key.expiresAt)}`
}

const revoke =
  (id: string): Command =>
  async (database) => {
    const name = await revokeKey(database, id)
    if (name === undefined) throw new UsageError(`There is no key ${id}: see \`npm run keys -- list\`.`)
    return `Key ${id} for "${name}" is revoked.`
  }

const forget: Command = async (database) => `Forgotten: ${await forgetKeys(database)}.`

async function main(): Promise<void> {
  const command = readCommand(process.argv.slice(2))
  if (!command) return void process.stdout.write(`${help}\n`)
  const config = readConfig()
  const log = makeLog('warn', process.stderr.isTTY)
  const postgres = await joinPostgres(config, log)
  try {
    await prepareTables(postgres.url, config, log)
    process.stdout.write(`${await withClient(postgres.url, command)}\n`)
  } finally {
    await postgres.close()
  }
}

try {
  await main()
} catch (error) {
  const isTold = [UsageError, ConfigError, StartError, LookoutError].some((kind) => error instanceof kind)
  process.stderr.write(`${isTold ? (error as Error).message : (error as Error).stack}\n`)
  if (error instanceof UsageError) process.stderr.write('See npm run keys -- --help.\n')
  process.exitCode = error instanceof UsageError ? 2 : 1
}
