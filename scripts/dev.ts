// The server and the dashboard while they are worked on: both start again, or reload, as their sources change. `npm run dev`.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { generate } from './generate.ts'

const bin = (name: string) => join('node_modules/.bin', name)

generate()
const children = [
  spawn(bin('tsx'), ['watch', '--clear-screen=false', 'server/main.ts'], { stdio: 'inherit' }),
  spawn(bin('vite'), [], { stdio: ['ignore', 'inherit', 'inherit'] }),
]
const stop = () => children.forEach((child) => child.kill('SIGTERM'))
process.on('SIGINT', stop)
process.on('SIGTERM', stop)
for (const child of children) child.on('exit', stop)
