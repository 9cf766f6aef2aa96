// Keeps the shop running beside the server, as a process of its own: started again, ever more slowly, when it ends by itself.
import { type ChildProcess, spawn } from 'node:child_process'
import type { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'

export interface ShopProcessOptions {
  /** Where the shop finds the API. */
  url: string
  /** The API key it calls with. */
  key: string
  ratePerSecond: number
  /** The past to write first, such as "1h", as far as an earlier run has not; nothing: none. Written by the first process alone. */
  backfill: string | undefined
  restartDelayMinMs: number
  restartDelayMaxMs: number
  /** How long it may take to hand in its last rows. */
  closeWithinMs: number
}

const keyDescriptor = 3

export const SHOP_PROCESS_OPTIONS = { restartDelayMinMs: 1_000, restartDelayMaxMs: 60_000, closeWithinMs: 1_500 }

export interface ShopProcess {
  close(): Promise<void>
}

export function makeShopProcess({ log }: { log: Logger }, options: ShopProcessOptions): ShopProcess {
  let child: ChildProcess | undefined
  let timer: NodeJS.Timeout | undefined
  let closing = false
  let delayMs = options.restartDelayMinMs

  function start(backfill: string | undefined): void {
    const startedAt = Date.now()
    child = spawn(process.execPath, [...process.execArgv, program(), ...flags(backfill)], {
      // It ends when its standard input does, so it never outlives this process, however that ends. Its key comes by a pipe of
      // its own: command line and environment are there for others to read.
      stdio: ['pipe', 'inherit', 'inherit', 'pipe'],
    })
    const keyPipe = child.stdio[keyDescriptor] as Writable
    keyPipe.on('error', () => {})
    keyPipe.end(options.key)
    child.stdin?.on('error', () => {})
    child.on('error', (error) => log.error({ err: error }, 'the shop does not start'))
    child.on('exit', (code, signal) => {
      child = undefined
      if (closing) return
      if (Date.now() - startedAt > options.restartDelayMaxMs) delayMs = options.restartDelayMinMs
      log.warn({ code, signal, againInMs: delayMs }, 'the shop ended by itself and is started again')
      timer = setTimeout(start, delayMs, undefined)
      delayMs = Math.min(delayMs * 2, options.restartDelayMaxMs)
    })
  }

  function flags(backfill: string | undefined): string[] {
    const always = ['--url', options.url, '--key-file', String(keyDescriptor), '--rate', String(options.ratePerSecond)]
    return backfill === undefined ? always : [...always, '--backfill', backfill]
  }

  start(options.backfill)

  return {
    async close() {
      closing = true
      clearTimeout(timer)
      if (!child || child.exitCode !== null || child.signalCode !== null) return
      const last = child
      const exited = new Promise<void>((resolve) => last.once('exit', () => resolve()))
      last.kill('SIGTERM')
      const hurry = setTimeout(() => last.kill('SIGKILL'), options.closeWithinMs)
      await exited
      clearTimeout(hurry)
    },
  }
}

/** shop/main beside server/main: as sources, or as bundles. */
function program(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return fileURLToPath(new URL(`../shop/main.${extension}`, import.meta.url))
}
