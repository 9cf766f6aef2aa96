// Runs one bench by name: npm run bench -- NAME [options of that bench]. Prints a table, and the same as one line of JSON.
import { readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type Bench, report } from './kit.ts'

const here = dirname(fileURLToPath(import.meta.url))
const helpers = new Set(['main', 'kit'])

async function load(name: string): Promise<Bench> {
  return (await import(pathToFileURL(join(here, `${name}.ts`)).href)) as Bench
}

const names = readdirSync(here, { withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => basename(entry.name, '.ts'))
  .filter((name) => !helpers.has(name))
  .sort()
const [name, ...args] = process.argv.slice(2)

if (name === undefined || !names.includes(name)) {
  console.error('npm run bench -- NAME [options]\n')
  for (const each of names) console.error(`  ${each.padEnd(16)} ${(await load(each)).about}`)
  process.exit(2)
}
const bench = await load(name)
console.error(bench.about)
report(name, await bench.run(args))
