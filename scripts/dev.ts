// The server and the dashboard while they are worked on: both start again, or reload, as their sources change. `npm run dev`.
import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process'
import { join } from 'node:path'
import { generate } from './generate.ts'

const bin = (name: string) => join('node_modules/.bin', name)

generate()
// In process groups of their own: Ctrl-C reaches this process alone, for tsx takes a second signal as leave to kill the server.
const options: SpawnOptions = { stdio: ['ignore', 'inherit', 'inherit'], detached: true }
const children = [
  spawn(bin('tsx'), ['watch', '--clear-screen=false', 'server/main.ts'], options),
  spawn(bin('vite'), [], options),
]
let stopping = false

function stop(): void {
  if (stopping) return
  stopping = true
  for (const child of children) if (isRunning(child)) child.kill('SIGTERM')
}

const isRunning = (child: ChildProcess) => child.exitCode === null && child.signalCode === null

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
for (const child of children) child.on('exit', stop)
