// What the benches of streams share: the built server as `npm start` runs it, processes of viewers, and a writer of events.
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectDir } from '../kit.ts'
import type { ViewersOptions, ViewersReport } from './viewers.ts'

export interface BenchServer {
  pid: number
  port: number
  url: string
  /** What it said on its error stream: its log. */
  log(): string
  /** Where PostgreSQL is, when the server started its own. */
  databaseUrl: string
  stop(): Promise<void>
}

/** Node's own options and the environment in the start script of package.json: what users run is what is measured. */
function startScript(): { options: string[]; env: Record<string, string> } {
  const { scripts } = JSON.parse(readFileSync(join(projectDir, 'package.json'), 'utf8')) as {
    scripts: { start: string }
  }
  const words = scripts.start.split(' ')
  return {
    options: words.filter((word) => word.startsWith('--')),
    env: Object.fromEntries(words.filter((word) => /^[A-Z_]+=/.test(word)).map((word) => word.split('='))),
  }
}

/** Runs `node dist/server/main.js`, as `npm start` does. */
export async function startServer(env: Record<string, string>): Promise<BenchServer> {
  const main = join(projectDir, 'dist/server/main.js')
  if (!existsSync(main)) throw new Error('The server is not built: npm run build.')
  const script = startScript()
  const child = spawn(process.execPath, [...script.options, main], {
    cwd: projectDir,
    env: { PATH: process.env.PATH, ...script.env, PORT: '0', LOOKOUT_SHOP: 'off', NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  let log = ''
  child.stderr.on('data', (chunk) => (log = `${log}${String(chunk)}`.slice(-100_000)))
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      said += String(chunk)
      if (/PostgreSQL +\S+\s/.test(said)) resolve()
    })
    child.once('exit', (code) => reject(new Error(`The server ended with code ${code}:\n${said}${log}`)))
  })
  const url = /Dashboard +(http:\S+?)\/?\s/.exec(said)![1]!
  return {
    pid: child.pid!,
    url,
    port: Number(new URL(url).port),
    log: () => log,
    databaseUrl: /PostgreSQL +(\S+)/.exec(said)![1]!,
    async stop() {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}

export interface Viewers {
  pid: number
  reset(): Promise<void>
  report(): Promise<ViewersReport>
  /** Cuts them all off at once; they all come back at once with their cursors. Resolves with how long each took to be told on. */
  cut(): Promise<number[]>
  close(): Promise<void>
}

/** Resolves when all of them have had their first message. */
export async function startViewers(options: ViewersOptions): Promise<Viewers> {
  const child = forkTs('bench/kit/viewers.ts')
  child.send({ open: options })
  await answerOf(child)
  const ask = (order: string) => {
    child.send(order)
    return answerOf(child)
  }
  return {
    pid: child.pid!,
    async reset() {
      await ask('reset')
    },
    report: async () => ((await ask('report')) as { report: ViewersReport }).report,
    cut: async () => ((await ask('cut')) as { servedMs: number[] }).servedMs,
    async close() {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

export const forkTs = (path: string, args: string[] = []): ChildProcess =>
  fork(join(projectDir, path), args, { cwd: projectDir, execArgv: ['--import', 'tsx'] })

/** The next message of a child, or its end as an error. */
export async function answerOf(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`a process of the bench ended with code ${code}`))
    child.once('exit', onExit)
    child.once('message', (message) => {
      child.off('exit', onExit)
      resolve(message)
    })
  })
}

/** Adds the reports of several processes up. */
export function sumReports(reports: ViewersReport[]): ViewersReport {
  const sum = (of: (report: ViewersReport) => number) => reports.reduce((total, report) => total + of(report), 0)
  return {
    viewers: sum(({ viewers }) => viewers),
    messages: sum(({ messages }) => messages),
    snapshots: sum(({ snapshots }) => snapshots),
    lost: sum(({ lost }) => lost),
    ended: sum(({ ended }) => ended),
    bytes: sum(({ bytes }) => bytes),
    latenciesMs: reports.flatMap(({ latenciesMs }) => latenciesMs),
  }
}

/** Sends events to a server at an even rate, in calls of `perCall` rows, until stopped. */
const someCountries = ['China', 'Brasil', 'Japan', 'Germany', 'Spain', 'France', 'Poland', 'Belgium']

export function writeEvents(
  url: string,
  { perSecond, perCall, countries = someCountries }: { perSecond: number; perCall: number; countries?: string[] },
) {
  let running = true
  let written = 0
  let number = 0
  let slowestMs = 0
  const types = ['product', 'cart', 'purchase', 'error', 'home', 'page_view']
  async function call(): Promise<void> {
    const batch = Array.from({ length: perCall }, () => {
      number++
      return { type: types[number % types.length], country: countries[number % countries.length], userId: null }
    })
    const began = performance.now()
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        query: 'mutation ($batch: EventBatch!) { ingestEvents(batch: $batch) { accepted rejected { message } } }',
        variables: { batch },
      }),
    })
    const { data, errors } = (await response.json()) as {
      data?: { ingestEvents: { accepted: number } }
      errors?: unknown
    }
    if (data?.ingestEvents.accepted !== perCall)
      throw new Error(`events were not accepted: ${JSON.stringify(errors ?? data)}`)
    written += perCall
    slowestMs = Math.max(slowestMs, performance.now() - began)
  }
  const done = (async () => {
    const everyMs = (perCall * 1000) / perSecond
    let dueMs = performance.now()
    while (running) {
      await call()
      dueMs = Math.max(dueMs + everyMs, performance.now() - 1000)
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())))
    }
  })()
  return {
    async stop(): Promise<number> {
      running = false
      await done
      return written
    },
    /** The longest that a call waited for its answer. */
    slowestMs: () => slowestMs,
  }
}
