// Flow and browser tests run what `npm start` runs: built when a source is newer than the build.
import { spawnSync } from 'node:child_process'

export function setup(): void {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', 'scripts/build.ts', '--if-needed'],
    {
      encoding: 'utf8',
      env: { ...process.env, NODE_ENV: 'production' },
    },
  )
  if (status !== 0) throw new Error(`The build failed:\n${stdout}${stderr}`)
}
