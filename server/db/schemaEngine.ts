// Prisma's own schema engine, as WASM in this process: no download, and the same _prisma_migrations as `prisma migrate`.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { PrismaPg } from '@prisma/adapter-pg'
import {
  bindMigrationAwareSqlAdapterFactory,
  ColumnTypeEnum,
  type SqlDriverAdapter,
  type SqlQuery,
} from '@prisma/driver-adapter-utils'
import type { SchemaEngine } from '@prisma/schema-engine-wasm/schema_engine_bg'
import pg from 'pg'
import { withClient } from './client.ts'

const moduleName = '@prisma/schema-engine-wasm/schema_engine_bg'
const charOid = 18
const charArrayOid = 1002

// Node has it, its types of version 20 do not.
declare const WebAssembly: {
  instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: { exports: { __wbindgen_start(): void } } }>
}

type Glue = { SchemaEngine: typeof SchemaEngine }

// The engine's JavaScript half keeps its one instance in its module: a second one in the same process breaks the first.
let loaded: Promise<Glue> | undefined

async function load(): Promise<Glue> {
  const glue = await import('@prisma/schema-engine-wasm/schema_engine_bg')
  const folder = dirname(createRequire(import.meta.url).resolve(moduleName))
  const bytes = await readFile(join(folder, 'schema_engine_bg.wasm'))
  const { instance } = await WebAssembly.instantiate(bytes, { './schema_engine_bg.js': withIdleTimers(glue) })
  glue.__wbg_set_wasm(instance.exports)
  instance.exports.__wbindgen_start()
  // Where the engine says why it fails: a global, by its own wish.
  Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: { set_message: fail } })
  return glue
}

/** The engine leaves a timer of ten seconds behind each time it waits for its lock: no reason for a process to stay. */
function withIdleTimers(glue: object): object {
  const timers = Object.entries(glue as Record<string, (work: () => void, ms: number) => NodeJS.Timeout>).filter(
    ([name]) => name.startsWith('__wbg_setTimeout_'),
  )
  return {
    ...glue,
    ...Object.fromEntries(timers.map(([name, set]) => [name, (...of: Parameters<typeof set>) => set(...of).unref()])),
  }
}

/** The engine on the database at `url`; `datamodel` is schema.prisma, as [path, text]. */
export async function startSchemaEngine(
  url: string,
  datamodel: [string, string],
): Promise<{ engine: SchemaEngine; close(): Promise<void> }> {
  const { SchemaEngine } = await (loaded ??= load())
  // The engine does not give its connections back by itself.
  const opened: SqlDriverAdapter[] = []
  const keep = async (adapter: Promise<SqlDriverAdapter>) => {
    opened.push(await adapter)
    return adapter
  }
  const adapter = bindMigrationAwareSqlAdapterFactory({
    provider: 'postgres',
    adapterName: 'lookout-migrations',
    connect: () => keep(openAdapter(url)),
    connectToShadowDb: () => openShadow(url),
  })
  const engine = await SchemaEngine.new({ datamodels: [datamodel] }, () => {}, adapter)
  return {
    engine,
    async close() {
      engine.free()
      for (const each of opened) await each.dispose()
    },
  }
}

/**
 * Prisma's adapter, but a script is sent whole (split at each semicolon, as there, it could hold no function and apply half), and
 * the type "char" is known, which the system catalogue is full of: it passes through the adapter as its array type.
 */
async function openAdapter(url: string, onDispose?: () => Promise<void>): Promise<SqlDriverAdapter> {
  const pool = new CatalogPool({ connectionString: url, max: 2 })
  const adapter = await new PrismaPg(pool, { disposeExternalPool: true }).connect()
  const queryRaw = adapter.queryRaw.bind(adapter)
  const dispose = adapter.dispose.bind(adapter)
  return Object.assign(adapter, {
    async queryRaw(query: SqlQuery) {
      const result = await queryRaw(query)
      const { CharacterArray, Character } = ColumnTypeEnum
      return { ...result, columnTypes: result.columnTypes.map((type) => (type === CharacterArray ? Character : type)) }
    },
    async executeScript(script: string) {
      await adapter.executeRaw({ sql: script, args: [], argTypes: [] })
    },
    async dispose() {
      await dispose()
      await onDispose?.()
    },
  })
}

function fail(message: string): never {
  throw new Error(`Prisma's schema engine failed: ${message}`)
}

class CatalogPool extends pg.Pool {
  // The overloads of `query` have no common signature to override; the adapter uses the one that returns a promise.
  override query = (async (query: never) => {
    const result = (await super.query(query)) as unknown as pg.QueryArrayResult
    for (const field of result.fields ?? []) if (field.dataTypeID === charOid) field.dataTypeID = charArrayOid
    return result
  }) as unknown as pg.Pool['query']
}

/** An empty database beside the given one, gone after use. */
async function openShadow(url: string): Promise<SqlDriverAdapter> {
  const name = `lookout_shadow_${randomUUID()}`
  await withClient(url, (client) => client.query(`create database "${name}"`))
  const shadow = new URL(url)
  shadow.pathname = `/${name}`
  return openAdapter(shadow.href, async () => {
    await withClient(url, (client) => client.query(`drop database "${name}"`))
  })
}
