// The configuration: the only reader of the environment. Every setting is checked, and all faults are told at once.
import { existsSync } from 'node:fs'
import { isIP } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Config {
  /** Where package.json, prisma/ and sql/ are. */
  projectDir: string
  host: string
  /** 0: any free port. */
  port: number
  /** Origins of other sites whose pages may call the API. */
  allowedOrigins: string[]
  /** Addresses of proxies in front, whose x-forwarded-for is believed. */
  trustedProxies: string[]
  /** Sockets and streams of one address that is not this machine's own. */
  livePerAddressMax: number
  logLevel: LogLevel
  /** Of a collector of traces that takes OTLP over HTTP; without it there are none. */
  tracesEndpoint: string | undefined

  /** Another PostgreSQL, of version 15 or later; without it the embedded one is started. */
  databaseUrl: string | undefined
  /** Of the embedded PostgreSQL. */
  dataDir: string
  /** Of the embedded PostgreSQL; without it a free one is chosen. */
  pgPort: number | undefined
  /** Connections for short statements. */
  poolMax: number

  /** How long a call waits for others to share a commit with. */
  flushIntervalMs: number
  batchRowsMax: number
  queueRowsMax: number
  /** Raw events and order items older than this are dropped; the aggregates of them stay. */
  rawRetentionDays: number

  shop: boolean
  /** Sessions the shop starts in a second. */
  shopRate: number
  /** The past that the shop writes when it opens, such as "1h"; what an earlier run has written of it stays. */
  shopBackfill: string
}

export class ConfigError extends Error {
  override name = 'ConfigError'
  constructor(readonly faults: string[]) {
    super(faults.join('\n'))
  }
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
type LogLevel = (typeof logLevels)[number]

const perDay: Record<string, number> = { s: 86_400, m: 1_440, h: 24, d: 1 }

/**
 * Reads the configuration from `env`. An empty variable counts as not set.
 * @throws ConfigError that lists every fault, each with what to write instead.
 */
export function readConfig(env: Record<string, string | undefined> = process.env): Config {
  const projectDir = findProject()
  const faults: string[] = []
  const read = (name: string) => env[name]?.trim() || undefined

  function fault<T>(name: string, wanted: string, fallback: T): T {
    faults.push(`${name} must be ${wanted}; got ${JSON.stringify(env[name])}.`)
    return fallback
  }
  function whole<Missing extends number | undefined>(name: string, missing: Missing, min: number, max: number) {
    const text = read(name)
    if (text === undefined) return missing
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= min && value <= max) return value
    return fault(name, `a whole number from ${min} to ${max}`, missing)
  }
  function numberOf(name: string, missing: number, min: number, max: number): number {
    const text = read(name)
    if (text === undefined) return missing
    const value = Number(text)
    return value >= min && value <= max ? value : fault(name, `a number from ${min} to ${max}`, missing)
  }
  function oneOf<Value extends string>(name: string, missing: Value, values: readonly Value[]): Value {
    const text = read(name)
    if (text === undefined) return missing
    return values.find((value) => value === text) ?? fault(name, `one of ${values.join(', ')}`, missing)
  }
  function databaseUrl(): string | undefined {
    const text = read('DATABASE_URL')
    if (text === undefined) return undefined
    const protocol = URL.canParse(text) ? new URL(text).protocol : ''
    if (protocol === 'postgres:' || protocol === 'postgresql:') return text
    // The value is not repeated: it may hold a password.
    faults.push('DATABASE_URL must be a connection string like postgresql://user:password@host:5432/database.')
    return undefined
  }
  function endpoint(name: string): string | undefined {
    const text = read(name)
    const protocol = text !== undefined && URL.canParse(text) ? new URL(text).protocol : ''
    if (text === undefined || protocol === 'http:' || protocol === 'https:') return text
    return fault(name, 'an http(s) address such as http://localhost:4318', undefined)
  }
  function duration(name: string, missing: string, daysMax: number): string {
    const text = read(name) ?? missing
    const [, count, unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? []
    const days = Number(count) / (perDay[unit] ?? 0)
    return days <= daysMax ? text : fault(name, `a number with s, m, h or d, like 1h, up to ${daysMax}d`, missing)
  }
  function origins(name: string): string[] {
    const list = read(name)?.split(',') ?? []
    return list.flatMap((item) => {
      const text = item.trim()
      if (URL.canParse(text) && new URL(text).origin === text) return [text]
      return fault(name, 'a list of origins with commas, like https://shop.example,http://localhost:5173', [])
    })
  }

  function addresses(name: string): string[] {
    const list =
      read(name)
        ?.split(',')
        .map((item) => item.trim()) ?? []
    return list.every((item) => isIP(item) > 0)
      ? list
      : fault(name, 'a list of addresses with commas, like 127.0.0.1,10.0.0.7', [])
  }

  const config: Config = {
    projectDir,
    host: read('HOST') ?? '127.0.0.1',
    port: whole('PORT', 4000, 0, 65_535),
    allowedOrigins: origins('ALLOWED_ORIGINS'),
    trustedProxies: addresses('TRUSTED_PROXIES'),
    livePerAddressMax: whole('LIVE_PER_ADDRESS_MAX', 1_000, 1, 1_000_000),
    logLevel: oneOf('LOG_LEVEL', 'info', logLevels),
    tracesEndpoint: endpoint('OTEL_EXPORTER_OTLP_ENDPOINT'),
    databaseUrl: databaseUrl(),
    dataDir: resolve(projectDir, read('LOOKOUT_DATA_DIR') ?? '.lookout'),
    pgPort: whole('LOOKOUT_PG_PORT', undefined, 1, 65_535),
    poolMax: whole('DATABASE_POOL_MAX', 10, 2, 100),
    flushIntervalMs: whole('FLUSH_INTERVAL_MS', 20, 1, 1_000),
    batchRowsMax: whole('BATCH_ROWS_MAX', 5_000, 1, 100_000),
    queueRowsMax: whole('QUEUE_ROWS_MAX', 100_000, 1_000, 10_000_000),
    rawRetentionDays: whole('RAW_RETENTION_DAYS', 30, 1, 3_650),
    shop: oneOf('LOOKOUT_SHOP', 'on', ['on', 'off']) === 'on',
    shopRate: numberOf('LOOKOUT_SHOP_RATE', 20, 0.1, 10_000),
    shopBackfill: duration('LOOKOUT_SHOP_BACKFILL', '1h', 30),
  }
  if (faults.length > 0) throw new ConfigError(faults)
  return config
}

/** From this file, or from the bundle that holds it, up to the folder with the tables' schema. */
function findProject(): string {
  let dir = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(dir, 'prisma/schema.prisma')) && dirname(dir) !== dir) dir = dirname(dir)
  return dir
}
