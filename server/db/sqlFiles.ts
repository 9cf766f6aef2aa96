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

/** The files of the engine, in the order in which they are run: by name. */
export const readEngine = (projectDir: string): SqlFile[] => readFiles(join(projectDir, 'sql/cagg'))

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
