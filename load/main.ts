// The command: flags in, a live line each second, the totals at the end; the exit code says whether they agree.
import { type LoadProgress, type LoadResult, runLoad } from './load.ts'
import { help, readCommandLine, UsageError } from './options.ts'

const number = (value: number, digits = 0) =>
  value.toLocaleString('en-US', { maximumFractionDigits: digits, minimumFractionDigits: digits })

function describe({ seconds, rows, failedCalls, p50Ms, p99Ms, maxMs }: LoadProgress): string {
  const times = `p50 ${number(p50Ms)} ms · p99 ${number(p99Ms)} ms · max ${number(maxMs)} ms`
  const failed = Object.entries(failedCalls).map(([code, calls]) => ` · ${number(calls)} × ${code}`)
  const rejected = rows.rejected > 0 ? ` · ${number(rows.rejected)} rows rejected` : ''
  return `${number(rows.accepted / seconds).padStart(9)} events/s · ${times}${rejected}${failed.join('')}`
}

function conclude(result: LoadResult): string {
  const { rows, seconds, counted, exact, cpuSeconds } = result
  const others = Object.entries(rows).filter(([name, count]) => name !== 'accepted' && count > 0)
  const total = [`${number(rows.accepted)} accepted`, ...others.map(([name, count]) => `${number(count)} ${name}`)]
  const verdict =
    counted === null
      ? 'The server could not be asked for its totals.'
      : exact
        ? `✓ The aggregates count ${number(counted)} of them: every acknowledged event, once.`
        : `✗ The aggregates count ${number(counted)} of them, not what was acknowledged.`
  return [
    `\n${describe(result)}`,
    `${total.join(', ')} in ${number(seconds, 1)} s; ${number(cpuSeconds, 1)} s of processor time here.`,
    verdict,
  ].join('\n')
}

async function main(): Promise<number> {
  const command = readCommandLine(process.argv.slice(2))
  if (!command) {
    process.stdout.write(`${help}\n`)
    return 0
  }
  const { options, json } = command
  const live = json ? process.stderr : process.stdout
  const result = await runLoad(options, (progress) => live.write(`${describe(progress)}\n`))
  process.stdout.write(`${json ? JSON.stringify(result) : conclude(result)}\n`)
  return result.exact ? 0 : 1
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof UsageError ? error.message : ((error as Error).stack ?? String(error))}\n`)
    process.exit(2)
  },
)
