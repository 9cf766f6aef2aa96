import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { LOAD_OPTIONS, type LoadOptions, type LoadProgress, type LoadResult, runLoad } from '../../load/load.ts'
import { readCommandLine } from '../../load/options.ts'
import { type Api, startApi } from './apiKit.ts'

let api: Api

beforeAll(async () => {
  api = await startApi()
})
afterAll(() => api.close())

const small = { ratePerSecond: 4_000, seconds: 1, rowsPerCall: 100, callsMax: 8 }
const run = (more: Partial<LoadOptions> = {}, onProgress?: (progress: LoadProgress) => void) =>
  runLoad({ ...LOAD_OPTIONS, ...small, url: `${api.url}/graphql`, ...more }, onProgress)

test.each([
  ['in the batch form', {}],
  ['in the typed form', { typed: true }],
  ['with a key each call', { keys: true }],
])('a load %s has every event acknowledged, and counted once', async (_, more) => {
  const result = await run(more)
  expect(result.rows.accepted).toBeGreaterThan(0)
  expect(result).toMatchObject({
    rows: { duplicate: 0, rejected: 0, refused: 0, unknown: 0 },
    failedCalls: {},
    counted: result.rows.accepted,
    exact: true,
  })
  expect(result.p99Ms).toBeGreaterThanOrEqual(result.p50Ms)
})

test('a rate of 0 sends as much as is acknowledged', async () => {
  const { rows, exact } = await run({ ratePerSecond: 0, callsMax: 2 })
  expect(rows.accepted).toBeGreaterThan(200)
  expect(exact).toBe(true)
})

test('a load tells each second how it goes', async () => {
  const told: LoadProgress[] = []
  const result = await run({ seconds: 2 }, (progress) => told.push(progress))
  expect(told.length).toBeGreaterThan(0)
  expect(told[0]?.rows.accepted).toBeLessThan(result.rows.accepted)
})

test('a load whose events are not what the server counts says so', async () => {
  let copied: Promise<unknown> | undefined
  const { exact, counted, rows } = await run({ seconds: 2 }, () => {
    copied ??= api.database.pool.query(`
      insert into events (id, created_at, event_type, traffic_source)
      select gen_random_uuid(), created_at, event_type, traffic_source from events order by id desc limit 1`)
  })
  await copied
  expect(counted).toBe(rows.accepted + 1)
  expect(exact).toBe(false)
})

test('calls that nobody answers are told as such, and their rows as unknown', async () => {
  const { rows, failedCalls, exact, counted } = await run({ url: 'http://127.0.0.1:9/graphql', callsMax: 1 })
  expect(rows).toMatchObject({ accepted: 0, unknown: (failedCalls.UNREACHABLE ?? 0) * 100 })
  expect({ exact, counted }).toEqual({ exact: false, counted: null })
})

test('the command prints its totals as one line of JSON and ends with 0 where they agree', async () => {
  const flags = `--rate 2000 --seconds 1 --batch 50 --json --url ${api.url}/graphql`.split(' ')
  const child = spawn(process.execPath, ['--import', 'tsx', 'load/main.ts', ...flags], { cwd: inject('projectDir') })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number]
  const result = JSON.parse(output) as LoadResult
  expect(result.counted).toBe(result.rows.accepted)
  expect(code).toBe(0)
})

test('the command line names every fault at once', () => {
  expect(readCommandLine(['--help'])).toBeNull()
  expect(readCommandLine(['--rate', '0', '--typed'])?.options).toEqual({
    ...LOAD_OPTIONS,
    ratePerSecond: 0,
    typed: true,
  })
  expect(() => readCommandLine('--rate fast --batch 20000 --url ftp://shop'.split(' '))).toThrow(
    '--rate must be a whole number from 0 to 10000000; got "fast".\n' +
      '--batch must be a whole number from 1 to 10000; got "20000".\n' +
      '--url must be an http address; got "ftp://shop".',
  )
})
