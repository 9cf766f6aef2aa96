// Installs the SQL that is re-run at every start: the engine (sql/cagg) by file name, then the views (sql/views) after what they read.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type pg from 'pg'

interface SqlFile {
  path: string
  name: string
  text: string
}

const addRetention = `
  select cagg.add_retention_policy(partrelid::regclass::text, make_interval(days => $1))
    from pg_partitioned_table join pg_class on pg_class.oid = partrelid
   where relnamespace = 'public'::regnamespace`

/** Runs every file in one transaction of `client`; raw rows are kept for `rawRetentionDays`. */
export async function installSql(client: pg.Client, projectDir: string, rawRetentionDays: number): Promise<void> {
  const engine = readEngine(projectDir)
  const views = inReadingOrder(readFiles(join(projectDir, 'sql/views')))
  await client.query('begin')
  try {
    for (const file of [...engine, ...views]) await run(client, file)
    await client.query(addRetention, [rawRetentionDays])
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    throw error
  }
  await runUpkeep(client)
}

/** The files of the engine, in the order in which they are run. */
export const readEngine = (projectDir: string): SqlFile[] => inGivenOrder(join(projectDir, 'sql/cagg'))

/** Makes day partitions ahead and drops what the retention policies let go. */
export async function runUpkeep(client: pg.Client | pg.Pool): Promise<void> {
  await client.query('select cagg.run_maintenance()')
}

function readFiles(dir: string): SqlFile[] {
  if (!existsSync(dir)) return []
  return readdirSync(dir)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => ({
      path: join(basename(dir), name),
      name: basename(name, '.sql'),
      text: readFileSync(join(dir, name), 'utf8'),
    }))
}

/** By order.txt (one file name a line) where there is one, else by name. */
function inGivenOrder(dir: string): SqlFile[] {
  const files = readFiles(dir)
  const list = join(dir, 'order.txt')
  if (!existsSync(list)) return files
  const names = readFileSync(list, 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
  const unlisted = files.filter((file) => !names.includes(`${file.name}.sql`))
  if (unlisted.length > 0) throw new Error(`${list} does not list ${unlisted.map((file) => file.path).join(', ')}`)
  return names.map((name) => {
    const file = files.find((candidate) => `${candidate.name}.sql` === name)
    if (!file) throw new Error(`${list} lists ${name}, which does not exist`)
    return file
  })
}

/** A view that reads metrics.x comes after the file x.sql. */
export function inReadingOrder<File extends { name: string; text: string }>(files: File[]): File[] {
  const byName = new Map(files.map((file) => [file.name, file]))
  const ordered = new Set<File>()
  function place(file: File, path: string[]): void {
    if (ordered.has(file)) return
    if (path.includes(file.name))
      throw new Error(`Views read each other in a circle: ${[...path, file.name].join(' → ')}`)
    for (const [, name = ''] of file.text.matchAll(/\bmetrics\.(\w+)/g)) {
      const source = byName.get(name)
      if (source && source !== file) place(source, [...path, file.name])
    }
    ordered.add(file)
  }
  for (const file of files) place(file, [])
  return [...ordered]
}

async function run(client: pg.Client, file: SqlFile): Promise<void> {
  try {
    await client.query(file.text)
  } catch (error) {
    const { message, position, where } = error as pg.DatabaseError
    const line = position ? `:${file.text.slice(0, Number(position)).split('\n').length}` : ''
    throw new Error(`sql/${file.path}${line}: ${message}${where ? `\n${where}` : ''}`, { cause: error })
  }
}
