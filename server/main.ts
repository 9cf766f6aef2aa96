// The map: the steps of the flow, opened from top to bottom and closed in reverse.
import { join } from 'node:path'
import type { Logger } from 'pino'
import { type Access, makeAccess } from './access/access.ts'
import { isLoopbackHost } from './access/loopback.ts'
import { type Changes, makeChanges } from './changes/changes.ts'
import { type Config, ConfigError, readConfig } from './config.ts'
import { type Database, migrationNames, openDatabase, StartError, startPostgres } from './db/index.ts'
import { makeUpkeep } from './db/upkeep.ts'
import { type CallReport, makeIngest } from './ingest/ingest.ts'
import { makeRejectLog } from './ingest/rejectLog.ts'
import { runUntilStopped, type Steps } from './lifecycle.ts'
import { makeLog } from './log.ts'
import { nameCalls } from './prometheus/ingest.ts'
import { makeRegistry } from './prometheus/registry.ts'
import { nameLiveStreams, nameStreamEvents } from './prometheus/streams.ts'
import { nameCommits, nameQueue } from './prometheus/writer.ts'
import { makePrisma } from './schema/prisma.ts'
import { makeShopProcess, SHOP_PROCESS_OPTIONS } from './shopProcess.ts'
import { makeStats } from './stats.ts'
import { makeSubscriptions } from './subscriptions/subscriptions.ts'
import { makeTracing, tellSpan } from './tracing.ts'
import { startTransport } from './transport/transport.ts'
import { makeWindows } from './windows/windows.ts'
import { type Commit, makeWriter } from './writer/writer.ts'

const upkeepIntervalMs = 60_000
const keysRefreshMs = 2_000
// What is under way when the server is told to stop has these, so that all of it ends within five seconds.
const writerDrainTimeoutMs = 1_000
const transportDrainMs = 500

async function start(config: Config, log: Logger, { open, lost }: Steps): Promise<void> {
  const { flushIntervalMs, batchRowsMax, queueRowsMax, rawRetentionDays } = config

  const registry = makeRegistry()
  const postgres = await open(startPostgres(config, log, lost))
  const database = await open(openDatabase(postgres.url, config, log))
  const { tracer } = await open(makeTracing(config.tracesEndpoint))
  const access = await open(openDoor(config, database, log))
  await open(makeUpkeep({ database, log }, { intervalMs: upkeepIntervalMs }))

  const reader: { changes?: Changes } = {}
  const countCommit = nameCommits(registry)
  const onCommit = (commit: Commit) => {
    reader.changes?.poke()
    countCommit(commit)
    if (tracer) tellSpan(tracer, 'commit', commit.tookMs, { 'lookout.rows': commit.rows })
  }
  const writer = await open(
    makeWriter(
      { database, log, onCommit },
      {
        flushIntervalMs,
        groupRowsMax: batchRowsMax,
        queueRowsMax,
        rawRetentionDays,
        drainTimeoutMs: writerDrainTimeoutMs,
      },
    ),
  )
  nameQueue(registry, writer)
  const countCall = nameCalls(registry)
  const logRejects = makeRejectLog({ log })
  const onCall = (report: CallReport) => {
    countCall(report)
    logRejects(report)
  }
  const ingest = makeIngest({ writer, onCall }, { rawRetentionDays })
  const changes = (reader.changes = await open(makeChanges({ database, log })))
  const { onStreamEvent, ...onClosed } = nameStreamEvents(registry)
  const windows = await open(makeWindows({ database, changes, log, onStreamEvent }))
  const stats = makeStats({ database, writer, changes, audience })
  const subscriptions = await open(makeSubscriptions({ database, changes, log, onStreamEvent, stats }))
  const prisma = await open(makePrisma(database.url))

  const transport = await open(
    startTransport(
      {
        services: { database, prisma, ingest, changes, windows, subscriptions, stats },
        access,
        log,
        registry,
        ...onClosed,
        tracer,
      },
      {
        host: config.host,
        port: config.port,
        publicDir: join(config.projectDir, 'dist/public'),
        allowedOrigins: config.allowedOrigins,
        trustedProxies: config.trustedProxies,
        migrations: migrationNames(config.projectDir),
        limits: { drainMs: transportDrainMs, livePerAddressMax: config.livePerAddressMax },
      },
    ),
  )
  nameLiveStreams(registry, () => ({
    ...transport.live(),
    streams: audience().subscribers,
    shared: windows.stats().windows + subscriptions.counts().feeds,
  }))
  announce(transport.url, config.databaseUrl === undefined ? database.url : withoutPassword(database.url))
  if (config.shop) await open(startShop(config, log, { url: transport.url, access }))

  function audience() {
    const { windows: distinct, subscribers } = windows.stats()
    return { windows: distinct, subscribers: subscribers + subscriptions.counts().subscribers }
  }
}

/** @throws StartError where others could reach the server, and it could not tell them apart. */
async function openDoor({ host }: Config, database: Database, log: Logger): Promise<Access> {
  const isLoopback = isLoopbackHost(host)
  const access = await makeAccess({ database, log }, { openWithoutKeys: isLoopback, refreshMs: keysRefreshMs })
  if (isLoopback || access.hasKeys()) return access
  await access.close()
  throw new StartError(
    `HOST ${host} can be reached from elsewhere, and there is no API key: make one with ` +
      `npm run keys -- create --role admin --name me, or set HOST to 127.0.0.1.`,
  )
}

function startShop(
  { shopRate, shopBackfill }: Config,
  log: Logger,
  { url, access }: { url: string; access: Pick<Access, 'lend'> },
) {
  const key = access.lend('shop', ['ingest', 'view'])
  const options = { url: `${url}/graphql`, key, ratePerSecond: shopRate, backfill: shopBackfill }
  return makeShopProcess({ log }, { ...SHOP_PROCESS_OPTIONS, ...options })
}

function announce(url: string, connectionString: string): void {
  const lines = [`Dashboard   ${url}/`, `GraphiQL    ${url}/graphql`, `PostgreSQL  ${connectionString}`]
  process.stdout.write(`\n  Lookout is live. Ctrl-C stops it.\n\n${lines.map((line) => `  ${line}\n`).join('')}\n`)
}

/** A password that was given to the server is not for its output. */
function withoutPassword(connectionString: string): string {
  const url = new URL(connectionString)
  url.password = ''
  url.searchParams.delete('password')
  return url.href
}

/** One sentence for what the surroundings are at fault for; nothing for a fault of the program. */
function sentenceOf(error: unknown, config: Config): string | undefined {
  if (error instanceof StartError) return error.message
  const { code, syscall } = error as NodeJS.ErrnoException
  if (syscall !== 'listen' && syscall !== 'getaddrinfo') return undefined
  if (code === 'EADDRINUSE')
    return `Port ${config.port} on ${config.host} is in use: stop what listens there, or set PORT.`
  if (code === 'EACCES') return `Port ${config.port} may not be used by this user: set PORT to one above 1023.`
  return `HOST ${config.host} is no address of this machine (${code}): set HOST to 127.0.0.1, or 0.0.0.0 for all.`
}

async function main(): Promise<number> {
  const config = readConfig()
  const log = makeLog(config.logLevel, process.stderr.isTTY)
  try {
    return await runUntilStopped(log, (steps) => start(config, log, steps))
  } catch (error) {
    const sentence = sentenceOf(error, config)
    if (sentence === undefined) throw error
    process.stderr.write(`${sentence}\n`)
    return 1
  }
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(
      `${error instanceof ConfigError ? error.message : ((error as Error).stack ?? String(error))}\n`,
    )
    process.exit(1)
  },
)
