// Builds what `npm start` runs: dist/server, dist/shop and dist/public. `npm run build`; with --if-needed only when a source is newer.
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generate } from './generate.ts'

const projectDir = dirname(dirname(fileURLToPath(import.meta.url)))
const sources = ['server', 'shop', 'client', 'scripts', 'prisma/schema.prisma', 'package-lock.json', 'vite.config.ts']
const made = ['server/db/generated']
const stamp = 'dist/built'
const at = (path: string) => join(projectDir, path)

async function build(): Promise<void> {
  const started = Date.now()
  // Loaded here, for most starts build nothing.
  const [{ build: bundle }, { build: buildClient }] = await Promise.all([import('esbuild'), import('vite')])
  rmSync(at(stamp), { force: true })
  generate()
  await bundle({
    entryPoints: { 'server/main': at('server/main.ts'), 'shop/main': at('shop/main.ts') },
    outdir: at('dist'),
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node20',
    format: 'esm',
    sourcemap: true,
    logLevel: 'warning',
  })
  await buildClient({ configFile: at('vite.config.ts'), root: at('client'), logLevel: 'error' })
  mkdirSync(at('dist'), { recursive: true })
  writeFileSync(at(stamp), '')
  utimesSync(at(stamp), started / 1000, started / 1000)
  console.log(`Built in ${((Date.now() - started) / 1000).toFixed(1)} s.`)
}

/** Whether a source, or a folder of sources, has changed since the last complete build began. */
function isStale(): boolean {
  if (!existsSync(at(stamp))) return true
  const builtMs = statSync(at(stamp)).mtimeMs
  const newer = (path: string): boolean => {
    if (made.includes(path)) return false
    const stats = statSync(at(path))
    if (stats.mtimeMs > builtMs) return true
    return stats.isDirectory() && readdirSync(at(path)).some((name) => newer(`${path}/${name}`))
  }
  return sources.some(newer)
}

if (!process.argv.includes('--if-needed') || isStale()) await build()
