// Looks at a PostgreSQL before it is used: within reach, new enough, and the database there. Each fault is one sentence with advice.
import { withClient } from './client.ts'
import { StartError } from './startError.ts'

const oldestVersionSupported = 15

/** @throws StartError when the database at `url` cannot be used. */
export async function checkServer(url: string, oldestVersion = oldestVersionSupported): Promise<void> {
  try {
    const { rows } = await withClient(url, (client) =>
      client.query<{ number: number; text: string; may_create: boolean; name: string }>(
        `select current_setting('server_version_num')::int as number, split_part(current_setting('server_version'), ' ', 1) as text,
                has_database_privilege(current_database(), 'create') as may_create, current_database() as name`,
      ),
    )
    const server = rows[0]
    if (server && server.number < oldestVersion * 10_000) {
      throw new StartError(
        `PostgreSQL at ${place(url)} is version ${server.text}: Lookout needs ${oldestVersion} or later; ` +
          `upgrade it, or unset DATABASE_URL to use the embedded one.`,
      )
    }
    if (server && !server.may_create) {
      throw new StartError(
        `The role in DATABASE_URL may not create schemas in database "${server.name}": ` +
          `run grant create on database "${server.name}" to it, or make it the owner.`,
      )
    }
  } catch (error) {
    throw error instanceof StartError ? error : explain(error, url)
  }
}

export async function makeMissingDatabase(maintenanceUrl: string, name: string): Promise<void> {
  await withClient(maintenanceUrl, async (client) => {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name])
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`)
  })
}

function explain(error: unknown, url: string): Error {
  const { code, message } = error as { code?: string; message: string }
  const where = place(url)
  const database = decodeURIComponent(new URL(url).pathname.slice(1))
  switch (code) {
    case '28P01':
    case '28000':
      return new StartError(
        `PostgreSQL at ${where} refuses the login: ${message}; correct user and password in DATABASE_URL.`,
      )
    case '3D000':
      return new StartError(
        `PostgreSQL at ${where} has no database "${database}": run createdb ${database}, or correct its name in DATABASE_URL.`,
      )
    case '53300':
      return new StartError(
        `PostgreSQL at ${where} has no connection left: raise its max_connections, or close others.`,
      )
    case '57P03':
      return new StartError(`PostgreSQL at ${where} is starting or stopping: start again when it takes connections.`)
    case '42501':
      return new StartError(`PostgreSQL at ${where} denies access (${message}): grant it to the role in DATABASE_URL.`)
    default:
      return new StartError(
        `PostgreSQL at ${where} is out of reach (${code ?? message}): start it, correct DATABASE_URL, ` +
          `or unset it to use the embedded one.`,
      )
  }
}

/** Host and port: a connection string holds a password, which belongs on no screen. */
function place(url: string): string {
  const { hostname, port, searchParams } = new URL(url)
  return `${hostname || searchParams.get('host') || 'localhost'}:${port || searchParams.get('port') || 5432}`
}
