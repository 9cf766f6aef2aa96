// The real server as a process of its own: what `npm start` runs, with a data folder and ports of its own.
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'

const startWithinMs = 60_000

export interface ServerProcess {
  child: ChildProcess
  /** Where it listens, such as http://127.0.0.1:41234. */
  url: string
  /** The connection string that it printed. */
  databaseUrl: string
  /** All that it said so far. */
  output(): string
  /** Sends a signal, SIGTERM unless another is given, and resolves with the exit code once the process has ended. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

export interface Run {
  child: ChildProcess
  stdout(): string
  stderr(): string
  /** Resolves with the exit code. */
  exited: Promise<number | null>
}

/** A data folder of its own; `remove` takes it away, wherever the cluster in it really is. */
export function makeDataDir(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'lookout-data-'))
  chmodSync(path, 0o755)
  return {
    path,
    remove() {
      try {
        rmSync(realpathSync(join(path, 'postgres')), { recursive: true, force: true })
      } catch {
        // There was no cluster.
      }
      rmSync(path, { recursive: true, force: true })
    },
  }
}

/** Runs `node dist/server/main.js` with these variables on top of a clean environment: any free port, no shop. */
export function runServer(env: Record<string, string>): Run {
  const child = spawn(process.execPath, ['dist/server/main.js'], {
    cwd: inject('projectDir'),
    env: { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: '0', LOOKOUT_SHOP: 'off', NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const exited = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
  return { child, stdout: () => stdout, stderr: () => stderr, exited }
}

/** Starts the server and waits until it has printed its three addresses. */
export async function startServer(env: Record<string, string>): Promise<ServerProcess> {
  const run = runServer(env)
  const { child, exited } = run
  await new Promise<void>((resolve, reject) => {
    const tell = (what: string) => reject(new Error(`The server ${what}:\n${run.stdout()}${run.stderr()}`))
    const timer = setTimeout(tell, startWithinMs, `did not listen within ${startWithinMs / 1000} s`)
    void exited.then((code) => tell(`ended with code ${code}`))
    const look = () => {
      if (!addressesIn(run.stdout())) return
      clearTimeout(timer)
      resolve()
    }
    child.stdout?.on('data', look)
  })
  return {
    child,
    ...(addressesIn(run.stdout()) ?? { url: '', databaseUrl: '' }),
    output: () => run.stdout() + run.stderr(),
    stop(signal = 'SIGTERM') {
      child.kill(signal)
      return exited
    },
  }
}

function addressesIn(stdout: string): { url: string; databaseUrl: string } | undefined {
  const url = /Dashboard +(http:\S+?)\/?\s/.exec(stdout)?.[1]
  const databaseUrl = /PostgreSQL +(postgres\S+)/.exec(stdout)?.[1]
  return url && databaseUrl ? { url, databaseUrl } : undefined
}
