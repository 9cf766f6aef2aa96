// The command: flags in, a shop that runs until it is told to stop.
import { fstatSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { makeCatalogue, syntheticProducts } from './catalogue.ts'
import { makeGeography } from './geography.ts'
import { ShopError } from './opening.ts'
import { help, readCommandLine, readRate, UsageError } from './options.ts'
import { readProductsCsv } from './products-csv.ts'
import { makeDisplay } from './progress.ts'
import { makeShop, type Shop } from './shop.ts'

const statusIntervalMs = 10_000

async function main(): Promise<number> {
  const command = readCommandLine(process.argv.slice(2))
  if (!command) {
    console.log(help)
    return 0
  }
  const products = command.productsFile
    ? readProductsCsv(readText('--products', command.productsFile))
    : syntheticProducts()
  const display = makeDisplay(process.stdout)
  const shop = makeShop(
    {
      url: command.url,
      key: command.keyFile === null ? null : readText('--key-file', command.keyFile).trim(),
      catalogue: makeCatalogue(products),
      geography: makeGeography(),
      say: display.say,
      onProgress: display.progress,
    },
    command.options,
  )
  const toldToStop = listen(shop, display.say)
  const opened = () => {
    if (shop.status().live) display.opened(shop.status())
  }
  shop.live.then(opened, () => {})
  const timer = setInterval(() => {
    const status = shop.status()
    if (status.live) display.status(status, shop.totals())
  }, statusIntervalMs)
  try {
    await Promise.race([toldToStop, shop.ended])
  } finally {
    clearInterval(timer)
    const { unanswered } = await shop.close()
    if (unanswered > 0) display.say(`Closed with ${unanswered} rows that the server did not take in time.`)
  }
  return 0
}

/** Resolves when the shop is told to stop: by a signal, by "quit", or by the end of the program that started it. */
function listen(shop: Shop, say: (sentence: string) => void): Promise<void> {
  return new Promise((resolve) => {
    const stop = () => resolve()
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
    process.on('disconnect', stop)
    // A shop in the background of a terminal may not read it; that must not suspend it.
    process.on('SIGTTIN', () => {})
    process.stdin.on('error', () => {})
    const lines = createInterface({ input: process.stdin })
    lines.on('line', (line) => {
      const [word, value = ''] = line.trim().split(/\s+/)
      const rate = word === 'rate' ? readRate(value) : null
      if (rate !== null) {
        shop.setRate(rate)
        say(`From now on ${rate} sessions a second.`)
      } else if (word === 'quit') stop()
      else if (word !== '') say('The shop understands "rate N" (0.01 to 10000 sessions a second) and "quit".')
    })
    lines.on('close', () => {
      if (comesFromProgram()) stop()
    })
  })
}

/** True when standard input is a pipe or socket: its end is the end of who holds the other side. /dev/null is neither. */
function comesFromProgram(): boolean {
  try {
    const input = fstatSync(0)
    return input.isFIFO() || input.isSocket()
  } catch {
    return false
  }
}

function readText(flag: string, file: string): string {
  try {
    return readFileSync(/^\d+$/.test(file) ? Number(file) : file, 'utf8')
  } catch (error) {
    throw new UsageError(`${flag}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

try {
  process.exit(await main())
} catch (error) {
  const known = error instanceof UsageError || error instanceof ShopError
  console.error(known ? error.message : error)
  if (error instanceof UsageError) console.error('See --help.')
  process.exit(error instanceof UsageError ? 2 : 1)
}
