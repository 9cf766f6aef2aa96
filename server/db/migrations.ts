// The tables' migrations: prisma/migrations, applied and compared by Prisma's schema engine.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DiffTarget, MigrationList, SchemaFilter } from '@prisma/schema-engine-wasm/schema_engine_bg'
import { startSchemaEngine } from './schemaEngine.ts'

const filters: SchemaFilter = { externalTables: [], externalEnums: [] }

export interface Migrations {
  /** Applies what the database lacks; the names of what was applied. */
  apply(): Promise<string[]>
  /** The SQL that leads from the database as it is to schema.prisma; empty when they agree. */
  driftOfDatabase(): Promise<string>
  /** The SQL that leads from the migrations to schema.prisma; empty when they agree. Needs the right to create databases. */
  driftOfMigrations(): Promise<string>
  close(): Promise<void>
}

/** The migrations below `projectDir` against the database at `url`. */
export async function openMigrations(projectDir: string, url: string): Promise<Migrations> {
  const path = join(projectDir, 'prisma/schema.prisma')
  const schema = { path, content: readFileSync(path, 'utf8') }
  const { engine, close } = await startSchemaEngine(url, [schema.path, schema.content])
  const migrationsList = readMigrations(join(projectDir, 'prisma/migrations'))

  async function diff(from: DiffTarget): Promise<string> {
    const to: DiffTarget = { tag: 'schemaDatamodel', files: [schema] }
    const { stdout } = await engine.diff({ from, to, script: true, exitCode: null, filters })
    const sql = stdout?.trim() ?? ''
    return sql.startsWith('-- This is an empty migration') ? '' : sql
  }

  return {
    apply: async () => (await engine.applyMigrations({ migrationsList, filters })).appliedMigrationNames,
    driftOfDatabase: () => diff({ tag: 'schemaDatasource', files: [schema], configDir: projectDir }),
    driftOfMigrations: () => diff({ tag: 'migrations', ...migrationsList }),
    close,
  }
}

/** The migrations of this version, oldest first. */
export const migrationNames = (projectDir: string): string[] => namesIn(join(projectDir, 'prisma/migrations'))

const namesIn = (baseDir: string): string[] =>
  readdirSync(baseDir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()

function readMigrations(baseDir: string): MigrationList {
  const lockfile = join(baseDir, 'migration_lock.toml')
  const names = namesIn(baseDir)
  return {
    baseDir,
    lockfile: { path: 'migration_lock.toml', content: existsSync(lockfile) ? readFileSync(lockfile, 'utf8') : null },
    shadowDbInitScript: '',
    migrationDirectories: names.map((path) => ({
      path,
      migrationFile: {
        path: 'migration.sql',
        content: { tag: 'ok', value: readFileSync(join(baseDir, path, 'migration.sql'), 'utf8') },
      },
    })),
  }
}
