// The .sql files under sql/: which there are, in which order they run, and what to say when one fails.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type pg from 'pg'

export interface SqlFile {
  path: string
  name: string
  text: string
}

/** The files of the engine, in the order in which they are run. */
export const readEngine = (projectDir: string): SqlFile[] => inGivenOrder(join(projectDir, 'sql/cagg'))

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

/** The files of the views, each after what it reads. */
export const readViews = (projectDir: string): SqlFile[] => inReadingOrder(readFiles(join(projectDir, 'sql/views')))

/** One digest of what these files say. */
export function digestOf(files: SqlFile[]): string {
  const hash = createHash('sha256')
  for (const { path, text } of files) hash.update(`${path}\n${text}\n`)
  return hash.digest('hex')
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

export async function runFile(client: pg.Client, file: SqlFile): Promise<void> {
  try {
    await client.query(file.text)
  } catch (error) {
    const { message, position, where } = error as pg.DatabaseError
    const line = position ? `:${file.text.slice(0, Number(position)).split('\n').length}` : ''
    throw new Error(`sql/${file.path}${line}: ${message}${where ? `\n${where}` : ''}`, { cause: error })
  }
}
