// The command line: flags in, checked options out; every fault is reported at once.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { LOAD_OPTIONS, type LoadOptions } from './load.ts'

export const help = `Load for Lookout: events at a steady rate, each call timed, the totals checked at the end.

  npm run load -- [options]

  --rate N       events a second; 0: as many as are acknowledged      (${LOAD_OPTIONS.ratePerSecond})
  --seconds N    for so long                                          (${LOAD_OPTIONS.seconds})
  --batch N      events in a call                                     (${LOAD_OPTIONS.rowsPerCall})
  --calls N      calls under way at a time, at most                   (${LOAD_OPTIONS.callsMax})
  --typed        by trackEvents in place of ingestEvents
  --keys         each call has an idempotencyKey, and is sent again until it is answered
  --url URL      where the API is                                     (${LOAD_OPTIONS.url})
  --key-file F   the API key to call with, of the role admin: a file that holds it
  --json         the result as one line of JSON, and nothing else, on standard output
  --help

A call's time runs from when it was due, so calls that had to wait for one of the others count in full.`

export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Reads flags (without the program's name); null: help was asked for. Throws UsageError. */
export function readCommandLine(flags: readonly string[]): { options: LoadOptions; json: boolean } | null {
  const values = parse(flags)
  if (values.help) return null
  const faults: string[] = []
  const whole = (name: string, given: string | undefined, missing: number, low: number, high: number): number => {
    if (given === undefined) return missing
    if (/^\d+$/.test(given) && Number(given) >= low && Number(given) <= high) return Number(given)
    faults.push(`--${name} must be a whole number from ${low} to ${high}; got "${given}".`)
    return missing
  }
  const url = values.url ?? LOAD_OPTIONS.url
  const options: LoadOptions = {
    url,
    key: values['key-file'] === undefined ? null : readKey(values['key-file']),
    ratePerSecond: whole('rate', values.rate, LOAD_OPTIONS.ratePerSecond, 0, 10_000_000),
    seconds: whole('seconds', values.seconds, LOAD_OPTIONS.seconds, 1, 86_400),
    rowsPerCall: whole('batch', values.batch, LOAD_OPTIONS.rowsPerCall, 1, 10_000),
    callsMax: whole('calls', values.calls, LOAD_OPTIONS.callsMax, 1, 10_000),
    typed: values.typed ?? false,
    keys: values.keys ?? false,
  }
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    faults.push(`--url must be an http address; got "${url}".`)
  if (faults.length > 0) throw new UsageError(faults.join('\n'))
  return { options, json: values.json ?? false }
}

function readKey(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new UsageError(`--key-file: ${(error as Error).message}`)
  }
}

function parse(flags: readonly string[]) {
  try {
    return parseArgs({
      args: [...flags],
      options: {
        rate: { type: 'string' },
        seconds: { type: 'string' },
        batch: { type: 'string' },
        calls: { type: 'string' },
        url: { type: 'string' },
        'key-file': { type: 'string' },
        typed: { type: 'boolean' },
        keys: { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}
