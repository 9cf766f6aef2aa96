import { expect, test } from 'vitest'
import { ConfigError, readConfig } from '../../server/config.ts'

function faultsOf(env: Record<string, string>): string[] {
  try {
    readConfig(env)
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
  return []
}

test('an empty environment gives the defaults of the README', () => {
  expect(readConfig({})).toMatchObject({
    host: '127.0.0.1',
    port: 4000,
    databaseUrl: undefined,
    shop: true,
    shopRate: 20,
    shopBackfill: '1h',
    logLevel: 'info',
    flushIntervalMs: 20,
    queueRowsMax: 100_000,
    livePerAddressMax: 1_000,
    rawRetentionDays: 30,
  })
})

test('an empty variable counts as not set', () => {
  expect(readConfig({ PORT: '', DATABASE_URL: ' ' })).toMatchObject({ port: 4000, databaseUrl: undefined })
})

test('data goes to .lookout in the project unless told otherwise', () => {
  const { projectDir, dataDir } = readConfig({})
  expect(dataDir).toBe(`${projectDir}/.lookout`)
  expect(readConfig({ LOOKOUT_DATA_DIR: '/srv/data' }).dataDir).toBe('/srv/data')
})

test('all faults are told at once, each with what to write instead', () => {
  expect(
    faultsOf({ PORT: '99999', FLUSH_INTERVAL_MS: 'fast', LOOKOUT_SHOP: 'maybe', LOOKOUT_SHOP_BACKFILL: 'long' }),
  ).toEqual([
    'PORT must be a whole number from 0 to 65535; got "99999".',
    'FLUSH_INTERVAL_MS must be a whole number from 1 to 1000; got "fast".',
    'LOOKOUT_SHOP must be one of on, off; got "maybe".',
    'LOOKOUT_SHOP_BACKFILL must be a number with s, m, h or d, like 1h, up to 30d; got "long".',
  ])
})

test('the shop writes no more past than it knows how to', () => {
  for (const LOOKOUT_SHOP_BACKFILL of ['0s', '90s', '30d', '720h', '43200m'])
    expect(readConfig({ LOOKOUT_SHOP_BACKFILL }).shopBackfill).toBe(LOOKOUT_SHOP_BACKFILL)
  for (const LOOKOUT_SHOP_BACKFILL of ['31d', '721h', '1w', '-1h'])
    expect(faultsOf({ LOOKOUT_SHOP_BACKFILL })).toHaveLength(1)
})

test('a connection string at fault is not repeated, for it may hold a password', () => {
  const [fault] = faultsOf({ DATABASE_URL: 'mysql://root:secret@host/db' })
  expect(fault).toMatch(/^DATABASE_URL must be a connection string like postgresql:/)
  expect(fault).not.toContain('secret')
})

test('numbers in other clothes are refused', () => {
  for (const PORT of ['4e3', '0x50', '-1', '80.5', '4000x']) expect(faultsOf({ PORT })).toHaveLength(1)
})

test('origins are read from a list with commas', () => {
  expect(readConfig({ ALLOWED_ORIGINS: 'https://a.example, http://localhost:5173' }).allowedOrigins).toEqual([
    'https://a.example',
    'http://localhost:5173',
  ])
  expect(faultsOf({ ALLOWED_ORIGINS: 'https://a.example/path' })).toHaveLength(1)
})
