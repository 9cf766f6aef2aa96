import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, inject, test } from 'vitest'

const root = inject('projectDir')

/** Whom each room of the server may import, besides its own files and the shared ones. */
const rooms: Record<string, string[]> = {
  db: [],
  // Text taken apart, for whoever reads it.
  json: [],
  // Who may call: a room of its own, asked by the transport.
  access: ['db'],
  metrics: [],
  writer: ['db'],
  // Each room defines its own part of the API on the one builder.
  ingest: ['json', 'writer', 'schema/builder.ts', 'schema/context.ts', 'schema/values.ts'],
  changes: ['db'],
  windows: ['db', 'metrics', 'changes'],
  subscriptions: ['db', 'changes', 'windows'],
  schema: ['db', 'json', 'access', 'metrics', 'ingest', 'changes', 'windows', 'subscriptions'],
  prometheus: ['ingest', 'writer'],
  transport: ['access', 'db', 'json', 'schema'],
}
const shared = ['server/errors.ts', 'server/outlet.ts', 'server/tracing.ts']

interface SourceFile {
  /** From the project's folder, such as server/db/index.ts. */
  path: string
  text: string
  /** Files of the project that it imports; `isType` when only their types. */
  imports: { path: string; isType: boolean }[]
}

function readSources(dir: string): SourceFile[] {
  return readdirSync(join(root, dir), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|vue)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((path) => !path.includes('/generated/'))
    .map((path) => {
      const text = readFileSync(join(root, path), 'utf8')
      return { path, text, imports: importsOf(path, text) }
    })
}

function importsOf(path: string, text: string): SourceFile['imports'] {
  const statements = text.matchAll(/^(?:import|export)\s+(type\s)?(?:[^'"`;]*?\sfrom\s+)?['"](\.[^'"]+)['"]/gm)
  const dynamic = text.matchAll(/\b()import\(['"](\.[^'"]+)['"]\)/g)
  return [...statements, ...dynamic].map(([, type, target = '']) => ({
    path: normalize(join(dirname(path), target)),
    isType: type !== undefined && type !== '',
  }))
}

const server = readSources('server')
const shop = readSources('shop')
const load = readSources('load')
const client = readSources('client')

test('what `npm start` builds and runs comes with the packages that are not for development alone', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  const imported = [...server, ...shop, ...load, ...client].flatMap(({ text }) =>
    [...text.matchAll(/(?:\sfrom\s+|^import\s+|\bimport\()'((?:@[^/']+\/)?[^./'@][^/':]*)['/]/gm)].map(
      ([, name]) => name!,
    ),
  )
  expect(imported).toContain('pg')
  expect([...new Set(imported)].filter((name) => !(name in dependencies))).toEqual([])
})

const roomOf = (path: string) => /^server\/([^/]+)\//.exec(path)?.[1]

test('rooms of the server import only what stands before them in the flow', () => {
  const strangers = server.flatMap(({ path, imports }) => {
    const room = roomOf(path)
    if (room === undefined) return []
    const mayImport = (target: string) =>
      shared.includes(target) ||
      target.startsWith(`server/${room}/`) ||
      (rooms[room] ?? []).some((allowed) => target === `server/${allowed}` || target.startsWith(`server/${allowed}/`))
    return imports.filter((target) => !mayImport(target.path)).map((target) => `${path} imports ${target.path}`)
  })
  expect(strangers).toEqual([])
})

test('every room of the server is known to this test', () => {
  expect([...new Set(server.map(({ path }) => roomOf(path)))].filter((room) => room && !rooms[room])).toEqual([])
})

test('no files import each other in a circle', () => {
  const files = new Map([...server, ...shop, ...load, ...client].map((file) => [file.path, file]))
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (path: string, trail: string[]) => {
    if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
    else if (!done.has(path)) {
      for (const target of files.get(path)?.imports ?? []) if (!target.isType) visit(target.path, [...trail, path])
      done.add(path)
    }
  }
  for (const path of files.keys()) visit(path, [])
  expect(circles).toEqual([])
})

test.each([
  ['shop', shop],
  ['load', load],
  ['client', client],
])('the %s knows the server by its API alone', (room, sources) => {
  const outside = sources.flatMap(({ path, imports }) =>
    imports.filter((target) => !target.path.startsWith(`${room}/`)).map((target) => `${path} imports ${target.path}`),
  )
  expect(outside).toEqual([])
})

test('the environment is read in server/config.ts alone', () => {
  const readers = [...server, ...shop, ...load, ...client].filter(({ text }) => /\bprocess\.env\b/.test(text))
  expect(readers.map(({ path }) => path)).toEqual(['server/config.ts'])
})

test('nothing in the server but the writer writes the tables; keys are written by a command', () => {
  const writes =
    /\b(insert\s+into|update\s+(only\s+)?(public\.)?"?\w+"?\s+set|delete\s+from|truncate|copy\s+[\w."]+\s*(\([^)]*\)\s*)?from)\b/i
  const writers = server.filter(({ text }) => writes.test(text)).map(({ path }) => path)
  expect(writers.filter((path) => !path.startsWith('server/writer/') && path !== 'server/access/keyTable.ts')).toEqual(
    [],
  )
})
