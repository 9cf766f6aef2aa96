// The command line: flags in, checked options out; every fault is reported at once, with advice.
import { parseArgs } from 'node:util'
import { type ShopOptions, shopDefaults } from './shop.ts'

export interface CommandLine {
  url: string
  /** Where the API key is, if one is to be sent. */
  keyFile: string | null
  productsFile: string | null
  options: Partial<ShopOptions>
}

/** The command line cannot be carried out; the message lists every fault. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export const help = `Lookout's shop: visitors, orders and their fate, live, by GraphQL mutations alone.

  npm run shop -- [options]

  --url URL          where the API is            (http://localhost:4000/graphql)
  --key-file FILE    the API key to call with, of the role admin: a file that holds it, or the
                     number of one that is open already
  --rate N           sessions started a second   (${shopDefaults.ratePerSecond})
  --backfill SPAN    write this much past first: 90s, 30m, 24h, 7d; what an earlier run
                     has written of it stays, and the gap since then is filled
  --speed N          orders ship, arrive and come back N times faster than in life (${shopDefaults.speed})
  --seed N           another shop: the same seed gives the same visitors, orders and amounts,
                     at the same distances from the start; ids depend on the start as well, so
                     runs of one seed may share a database (${shopDefaults.seed})
  --max-users N      register no more users than this
  --products FILE    a CSV with theLook's product columns in place of the invented catalogue
  --late SHARE       share of the events sent up to a minute late, from 0 to 1 (${shopDefaults.lateShare})
  --help

While it runs, its standard input takes one line at a time:
  rate N             from the next second on, N sessions a second
  quit               stop, as Ctrl-C does

It stops when a program that started it through a pipe ends. Rows that the server does not
take at once wait and are sent again; when too many wait, the shop stands still and says so.`

const unitMs: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const rateMax = 10_000
const backfillDaysMax = 30

/** Reads flags (without the program's name); null: help was asked for. Throws UsageError. */
export function readCommandLine(flags: readonly string[]): CommandLine | null {
  const values = parse(flags)
  if (values.help) return null
  const faults: string[] = []
  const number = (name: string, given: string | undefined, low: number, high: number, whole = false) => {
    if (given === undefined) return undefined
    const value = given.trim() === '' ? Number.NaN : Number(given)
    if (value >= low && value <= high && (!whole || Number.isInteger(value))) return value
    faults.push(`--${name} must be ${whole ? 'a whole number' : 'a number'} from ${low} to ${high}; got "${given}".`)
    return undefined
  }
  const options: Partial<ShopOptions> = defined({
    ratePerSecond: number('rate', values.rate, 0.01, rateMax),
    speed: number('speed', values.speed, 0.01, 1_000_000),
    usersMax: number('max-users', values['max-users'], 1, 1_000_000_000, true),
    lateShare: number('late', values.late, 0, 1),
    seed: values.seed,
    backfillMs: values.backfill === undefined ? undefined : readSpan(values.backfill, faults),
  })
  const url = values.url ?? 'http://localhost:4000/graphql'
  if (!/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : '')) {
    faults.push(`--url must be an http(s) address such as http://localhost:4000/graphql; got "${url}".`)
  }
  if (faults.length > 0) throw new UsageError(faults.join('\n'))
  return { url, keyFile: values['key-file'] ?? null, productsFile: values.products ?? null, options }
}

/** A rate as the control line gives it, or null. */
export function readRate(text: string): number | null {
  const rate = Number(text)
  return text.trim() !== '' && rate >= 0.01 && rate <= rateMax ? rate : null
}

function parse(flags: readonly string[]) {
  try {
    return parseArgs({
      args: [...flags],
      options: {
        url: { type: 'string' },
        'key-file': { type: 'string' },
        rate: { type: 'string' },
        backfill: { type: 'string' },
        speed: { type: 'string' },
        seed: { type: 'string' },
        'max-users': { type: 'string' },
        products: { type: 'string' },
        late: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message.split('. ')[0]! + '.' : String(error))
  }
}

function readSpan(text: string, faults: string[]): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text)
  const spanMs = match ? Number(match[1]) * unitMs[match[2]!]! : Number.NaN
  if (spanMs <= backfillDaysMax * unitMs.d!) return spanMs
  faults.push(`--backfill must be a span such as 90s, 30m, 24h or 7d, up to ${backfillDaysMax}d; got "${text}".`)
  return undefined
}

function defined<T extends object>(given: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never
}
