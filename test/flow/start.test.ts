import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, afterEach, describe, expect, inject, test } from 'vitest'
import { makeDataDir, runServer, type ServerProcess, startServer } from '../support/server.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

function dataDir(): string {
  const { path, remove } = makeDataDir()
  cleanUps.push(remove)
  return path
}

async function start(env: Record<string, string>): Promise<ServerProcess> {
  const server = await startServer(env)
  cleanUps.push(() => server.stop())
  return server
}

async function query<Row extends pg.QueryResultRow>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return (await client.query<Row>(sql).finally(() => client.end())).rows
}

/** Outside the range from which PostgreSQL's port is chosen, where other servers of this machine may come and go. */
async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as { port: number }
  await new Promise((resolve) => probe.close(resolve))
  return port
}

const postmasterOf = (dir: string) => Number(readFileSync(join(dir, 'postgres/postmaster.pid'), 'utf8').split('\n')[0])

/** A process that has ended counts as gone, though its parent may not have asked for its end yet. */
function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** Code 1 and one line of words, no trace of the code. */
async function sentenceOf(env: Record<string, string>): Promise<string> {
  const run = runServer({ LOG_LEVEL: 'silent', ...env })
  cleanUps.push(() => run.child.kill())
  expect(await run.exited).toBe(1)
  expect(run.stdout()).toBe('')
  const lines = run.stderr().trim().split('\n')
  expect(lines).toHaveLength(1)
  return lines[0] ?? ''
}

describe('one data folder through its life', () => {
  const home = makeDataDir()
  const env = { LOOKOUT_DATA_DIR: home.path }
  const note = join(home.path, 'postgres/postmaster.pid')
  let server: ServerProcess
  afterAll(async () => {
    await server.stop()
    home.remove()
  })

  const centres = async () =>
    (await query<{ name: string }>(server.databaseUrl, 'select name from distribution_centers order by id')).map(
      ({ name }) => name,
    )

  test('a first start says where everything is, and its connection string works as printed', async () => {
    // Of one's own choice this once: later starts are to find it again by themselves.
    server = await startServer({ ...env, LOOKOUT_PG_PORT: String(await freePort()) })
    expect(server.output()).toMatch(/GraphiQL +http:\/\/127\.0\.0\.1:\d+\/graphql\n/)
    expect((await fetch(server.url)).status).toBe(200)
    const [row] = await query(server.databaseUrl, `select current_setting('server_version') as version`)
    expect(row?.version).toMatch(/^18\./)
  })

  test('a second server on the same folder says so in a sentence and leaves the first alone', async () => {
    expect(await sentenceOf(env)).toMatch(/^Another Lookout runs on the data in .*LOOKOUT_DATA_DIR/)
    await query(server.databaseUrl, `insert into distribution_centers values (1, 'Memphis TN', 35.1174, -89.9711)`)
  })

  test('SIGINT, even twice, stops everything within 5 s, PostgreSQL and its open connections included', async () => {
    const postmaster = postmasterOf(home.path)
    const idle = new pg.Client({ connectionString: server.databaseUrl })
    idle.on('error', () => {})
    await idle.connect()
    const began = Date.now()
    server.child.kill('SIGINT')
    expect(await server.stop('SIGINT')).toBe(0)
    expect(Date.now() - began).toBeLessThan(5_000)
    expect(isAlive(postmaster)).toBe(false)
  })

  test('a busy port is told in a sentence, and PostgreSQL does not stay behind', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    cleanUps.push(() => taken.close())
    const { port } = taken.address() as { port: number }
    expect(await sentenceOf({ ...env, PORT: String(port) })).toBe(
      `Port ${port} on 127.0.0.1 is in use: stop what listens there, or set PORT.`,
    )
    expect(existsSync(note)).toBe(false)
  })

  test('a signal while it starts leaves no PostgreSQL behind', async () => {
    const run = runServer(env)
    await expect.poll(() => existsSync(note), { timeout: 30_000, interval: 10 }).toBe(true)
    const postmaster = postmasterOf(home.path)
    run.child.kill('SIGTERM')
    expect(await run.exited).toBe(0)
    await expect.poll(() => isAlive(postmaster)).toBe(false)
  })

  test('a second start goes on where the first stopped, at the same connection string', async () => {
    const { databaseUrl } = server
    server = await startServer(env)
    expect(server.databaseUrl).toBe(databaseUrl)
    expect(await centres()).toEqual(['Memphis TN'])
  })

  test('a killed server leaves nothing that stops the next start, and no committed row is lost', async () => {
    await query(server.databaseUrl, `insert into distribution_centers values (2, 'Chicago IL', 41.8369, -87.6847)`)
    const { databaseUrl } = server
    const orphan = postmasterOf(home.path)
    await server.stop('SIGKILL')
    expect(isAlive(orphan)).toBe(true)
    server = await startServer(env)
    expect(isAlive(orphan)).toBe(false)
    expect(server.databaseUrl).toBe(databaseUrl)
    expect(await centres()).toEqual(['Memphis TN', 'Chicago IL'])
  })

  test('the note of a killed postmaster stops no start, even when its process id lives on as another program', async () => {
    const text = readFileSync(note, 'utf8')
    await server.stop()
    writeFileSync(note, text.replace(/^\d+/, String(process.pid)))
    server = await startServer(env)
    expect(await centres()).toHaveLength(2)
  })

  test('the server ends when its PostgreSQL is gone for good', async () => {
    const exited = new Promise((resolve) => server.child.once('exit', resolve))
    process.kill(postmasterOf(home.path), 'SIGQUIT')
    expect(await exited).toBe(1)
  })
})

test('a start killed while it makes its data leaves nothing that stops the next one', async () => {
  const dir = dataDir()
  const halves = () => readdirSync(dir).filter((name) => name.includes('.half-'))
  const run = runServer({ LOOKOUT_DATA_DIR: dir })
  const halfMade = () => halves().some((half) => existsSync(join(dir, half, 'data/base')))
  await expect.poll(halfMade, { interval: 5, timeout: 30_000 }).toBe(true)
  run.child.kill('SIGKILL')
  await run.exited
  expect(existsSync(join(dir, 'postgres'))).toBe(false)

  await start({ LOOKOUT_DATA_DIR: dir })
})

test('faults of the configuration are told before anything starts', async () => {
  const dir = dataDir()
  expect(await sentenceOf({ PORT: 'http', LOOKOUT_DATA_DIR: dir })).toBe(
    'PORT must be a whole number from 0 to 65535; got "http".',
  )
  expect(readdirSync(dir)).toEqual([])
})

test('a data folder that holds something else is told in a sentence', async () => {
  const dir = dataDir()
  mkdirSync(join(dir, 'postgres'))
  writeFileSync(join(dir, 'postgres/thesis.txt'), 'unsaved elsewhere')
  expect(await sentenceOf({ LOOKOUT_DATA_DIR: dir })).toMatch(
    /holds something else than a PostgreSQL cluster: move it away/,
  )
})

test('a database out of reach, a wrong password and a missing database are told in a sentence each', async () => {
  const cluster = new URL(inject('clusterUrl'))
  const at = (change: (url: URL) => void) => {
    const url = new URL(cluster)
    change(url)
    return { DATABASE_URL: url.href }
  }
  expect(await sentenceOf({ DATABASE_URL: 'postgresql://lookout@127.0.0.1:1/lookout' })).toMatch(
    /^PostgreSQL at 127\.0\.0\.1:1 is out of reach \(ECONNREFUSED\): start it, correct DATABASE_URL/,
  )
  expect(await sentenceOf(at((url) => (url.password = 'wrong')))).toMatch(/refuses the login: .*DATABASE_URL/)
  expect(await sentenceOf(at((url) => (url.pathname = '/nowhere')))).toMatch(
    /has no database "nowhere": run createdb nowhere/,
  )
})

test('DATABASE_URL uses that PostgreSQL and starts none', async () => {
  const name = `given_${process.pid}`
  const cluster = inject('clusterUrl')
  await query(`${cluster}postgres`, `create database ${name} template lookout_full`)
  cleanUps.push(() => query(`${cluster}postgres`, `drop database ${name} with (force)`))
  const dir = dataDir()
  const server = await start({ DATABASE_URL: cluster + name, LOOKOUT_DATA_DIR: dir })
  expect(readdirSync(dir)).toEqual([])
  expect(server.output()).not.toContain(new URL(cluster).password)
  expect((await fetch(`${server.url}/ready`)).status).toBe(200)
})
