import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { startCluster } from '../../../server/db/embedded/cluster.ts'
import { placeCluster } from '../../../server/db/embedded/place.ts'

const log = pino({ level: 'silent' })
const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

function makeDir(mode: number): string {
  const dir = mkdtempSync(join(tmpdir(), 'lookout-place-'))
  chmodSync(dir, mode)
  cleanUps.push(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

async function startIn(dataDir: string) {
  const clusterDir = placeCluster(dataDir, log)
  const cluster = await startCluster(log, { clusterDir, durable: false })
  cleanUps.push(() => cluster.close())
  return { clusterDir, cluster }
}

const asRoot = process.getuid?.() === 0

test('data lies in the data folder', async () => {
  const dataDir = join(makeDir(0o755), 'data')
  const { clusterDir } = await startIn(dataDir)
  expect(clusterDir).toBe(realpathSync(join(dataDir, 'postgres')))
  expect(statSync(clusterDir).mode & 0o777).toBe(0o700)
})

test.runIf(asRoot)(
  'below a folder that is closed to PostgreSQL’s own user, data goes elsewhere, with a link to it',
  async () => {
    const dataDir = join(makeDir(0o700), 'checkout/.lookout')
    const { clusterDir } = await startIn(dataDir)
    cleanUps.unshift(() => rmSync(join(clusterDir, '..'), { recursive: true, force: true }))
    expect(lstatSync(join(dataDir, 'postgres')).isSymbolicLink()).toBe(true)
    expect(clusterDir).toMatch(/^\/var\/lib\/lookout\/checkout-\w+\/postgres$/)
    expect(placeCluster(dataDir, log)).toBe(clusterDir)
  },
)

test.runIf(asRoot)('a data folder that is itself closed is opened for passing through, no more', async () => {
  const dataDir = makeDir(0o700)
  const { clusterDir } = await startIn(dataDir)
  expect(clusterDir).toBe(join(dataDir, 'postgres'))
  expect(statSync(dataDir).mode & 0o777).toBe(0o711)
})

test('a database is reached with the password alone', async () => {
  const { cluster } = await startIn(makeDir(0o755))
  const url = new URL(cluster.url('postgres'))
  url.password = 'guess'
  await expect(new pg.Client({ connectionString: url.href }).connect()).rejects.toMatchObject({ code: '28P01' })
})

test('a port that is asked for and taken is told in a sentence', async () => {
  const first = await startIn(makeDir(0o755))
  const clusterDir = placeCluster(makeDir(0o755), log)
  await expect(startCluster(log, { clusterDir, port: first.cluster.port, durable: false })).rejects.toThrow(
    `Port ${first.cluster.port} is in use: set LOOKOUT_PG_PORT to a free port for the embedded PostgreSQL.`,
  )
})

test('a cluster that was closed is gone from the machine, and closing twice is no fault', async () => {
  const { clusterDir, cluster } = await startIn(makeDir(0o755))
  await Promise.all([cluster.close(), cluster.close()])
  await cluster.close()
  expect(existsSync(join(clusterDir, 'postmaster.pid'))).toBe(false)
})

test('two starts at once on one folder: one runs, the other says why it does not', async () => {
  const clusterDir = placeCluster(makeDir(0o755), log)
  const starts = await Promise.allSettled([1, 2].map(() => startCluster(log, { clusterDir, durable: false })))
  for (const start of starts) if (start.status === 'fulfilled') cleanUps.push(() => start.value.close())
  expect(starts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  expect(String((starts.find(({ status }) => status === 'rejected') as PromiseRejectedResult).reason)).toMatch(
    /Another Lookout runs on the data/,
  )
})

test('data of another version of PostgreSQL is told in a sentence', async () => {
  const clusterDir = placeCluster(makeDir(0o755), log)
  mkdirSync(clusterDir)
  writeFileSync(join(clusterDir, 'PG_VERSION'), '17\n')
  await expect(startCluster(log, { clusterDir, durable: false })).rejects.toThrow(
    /was made by PostgreSQL 17, and this is 18/,
  )
})
