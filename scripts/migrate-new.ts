// Writes the migration that leads from prisma/migrations to prisma/schema.prisma: `npm run migrate:new -- NAME`.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { startCluster } from '../server/db/embedded/cluster.ts'
import { placeCluster } from '../server/db/embedded/place.ts'
import { openMigrations } from '../server/db/migrations.ts'

const projectDir = dirname(dirname(fileURLToPath(import.meta.url)))
const log = pino({ level: 'warn' })

const name = process.argv[2] ?? ''
if (!/^[a-z][a-z0-9_]*$/.test(name)) {
  console.error('Give the migration a name in snake_case: npm run migrate:new -- add_coupons')
  process.exit(2)
}

const sql = await writeDown()
if (sql === '') {
  console.log('prisma/migrations and prisma/schema.prisma agree: there is nothing to migrate.')
} else {
  const time = new Date().toISOString().replace(/\D/g, '').slice(0, 14)
  const dir = join(projectDir, 'prisma/migrations', `${time}_${name}`)
  mkdirSync(dir)
  writeFileSync(join(dir, 'migration.sql'), `${sql}\n`)
  console.log(`Written: prisma/migrations/${time}_${name}/migration.sql. Read it before you commit it.`)
}

/** On a PostgreSQL of its own, so that no database of anyone's is needed. */
async function writeDown(): Promise<string> {
  const dataDir = mkdtempSync(join(tmpdir(), 'lookout-migrate-'))
  chmodSync(dataDir, 0o755)
  const clusterDir = placeCluster(dataDir, log)
  const cluster = await startCluster(log, { clusterDir, durable: false })
  try {
    const migrations = await openMigrations(projectDir, cluster.url('postgres'))
    return await migrations.driftOfMigrations().finally(() => migrations.close())
  } finally {
    await cluster.close()
    rmSync(clusterDir, { recursive: true, force: true })
    rmSync(dataDir, { recursive: true, force: true })
  }
}
