// The shop's command line and what it shows.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, onTestFinished, test } from 'vitest'
import { readCommandLine, readRate } from '../../shop/options.ts'
import { makeDisplay } from '../../shop/progress.ts'
import { makeLedger } from '../../shop/ledger.ts'

describe('the command line', () => {
  test('reads spans, rates and limits', () => {
    const flags = '--rate 500 --backfill 24h --speed 60 --seed winter --max-users 10 --late 0.01'.split(' ')
    expect(readCommandLine(flags)).toEqual({
      url: 'http://localhost:4000/graphql',
      productsFile: null,
      keyFile: null,
      options: {
        ratePerSecond: 500,
        backfillMs: 86_400_000,
        speed: 60,
        seed: 'winter',
        usersMax: 10,
        lateShare: 0.01,
      },
    })
    expect(readCommandLine([])!.options).toEqual({})
    expect(readCommandLine(['--help'])).toBeNull()
  })

  test('names every fault at once, with what is due', () => {
    const flags = '--rate fast --backfill 1y --max-users 0.5 --url localhost'.split(' ')
    expect(() => readCommandLine(flags)).toThrow(
      '--rate must be a number from 0.01 to 10000; got "fast".\n' +
        '--max-users must be a whole number from 1 to 1000000000; got "0.5".\n' +
        '--backfill must be a span such as 90s, 30m, 24h or 7d, up to 30d; got "1y".\n' +
        '--url must be an http(s) address such as http://localhost:4000/graphql; got "localhost".',
    )
    expect(() => readCommandLine(['--rates', '1'])).toThrow("Unknown option '--rates'.")
  })

  test('takes a rate from its standard input only within the limits', () => {
    expect(['200', '0.5', '0', 'x', '', '20000'].map(readRate)).toEqual([200, 0.5, null, null, null, null])
  })
})

describe('the display', () => {
  const screenOf = (isTTY: boolean) => {
    const written: string[] = []
    return { written, screen: { isTTY, write: (text: string) => written.push(text) } }
  }

  test('draws one bar on a terminal and closes it with a line', () => {
    const { written, screen } = screenOf(true)
    const display = makeDisplay(screen)
    display.progress({ share: 0.5, rows: 150_000, rowsPerSecond: 30_000, remainingMs: 5_000 })
    display.progress({ share: 1, rows: 300_000, rowsPerSecond: 30_000, remainingMs: 0 })
    expect(written[0]).toBe(
      `\r\x1b[K[${'█'.repeat(15)}${'·'.repeat(15)}] 50 % · 150,000 rows · 30,000 rows/s · 5 s left`,
    )
    expect(written.at(-1)).toBe('\r\x1b[KWrote the past: 300,000 rows · 30,000 rows/s\n')
  })

  test('writes a line now and then where there is no terminal', () => {
    const { written, screen } = screenOf(false)
    let nowMs = 0
    const display = makeDisplay(screen, () => nowMs)
    for (; nowMs < 4_000; nowMs += 200) {
      display.progress({ share: nowMs / 4_000, rows: nowMs, rowsPerSecond: 1_000, remainingMs: 4_000 - nowMs })
    }
    expect(written).toEqual([
      'Writing the past: 0 % · 0 rows · 1,000 rows/s · 4 s left\n',
      'Writing the past: 50 % · 2,000 rows · 1,000 rows/s · 2 s left\n',
    ])
  })

  test('tells sessions and rows a second since the line before', () => {
    const { written, screen } = screenOf(false)
    let nowMs = 0
    const display = makeDisplay(screen, () => nowMs)
    const status = {
      live: true,
      sessionsStarted: 1_000,
      visitors: 1_020,
      openOrders: 7,
      rowsAcknowledged: 5_000,
      backlogRows: 3,
      latencyMs: 21.4,
      trouble: null,
    }
    display.opened(status)
    nowMs = 10_000
    display.status({ ...status, sessionsStarted: 1_205, rowsAcknowledged: 6_111 }, makeLedger().totals())
    expect(written).toEqual([
      'The shop is open.\n',
      '00:00:10  20.5 sessions/s · 111.1 rows/s · 1,020 visitors · 7 open orders · 3 rows waiting · 0 rejected · 21 ms a call\n',
    ])
  })
})

describe('the program', () => {
  function start(flags: string[]) {
    const child = spawn(process.execPath, ['--import', 'tsx', 'shop/main.ts', ...flags], { stdio: 'pipe' })
    onTestFinished(() => void child.kill('SIGKILL'))
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    return { child, output: () => output, exit: once(child, 'exit') as Promise<[number | null]> }
  }
  const away = ['--url', 'http://127.0.0.1:4300/graphql']

  test('tells how it is used, and what is wrong with a flag', async () => {
    const asked = start(['--help'])
    expect((await asked.exit)[0]).toBe(0)
    expect(asked.output()).toContain('npm run shop -- [options]')
    const wrong = start(['--rate', 'fast'])
    expect((await wrong.exit)[0]).toBe(2)
    expect(wrong.output()).toContain('--rate must be a number')
    const missing = start(['--products', 'nowhere.csv'])
    expect((await missing.exit)[0]).toBe(2)
    expect(missing.output()).toContain('nowhere.csv')
  })

  test('waits for a server that is away, and ends on SIGTERM with 0', async () => {
    const { child, output, exit } = start(away)
    await once(child.stdout, 'data')
    expect(output()).toContain('Waiting for the server: http://127.0.0.1:4300/graphql: ECONNREFUSED.')
    child.kill('SIGTERM')
    expect((await exit)[0]).toBe(0)
  })

  test('ends when the program that started it is gone, and takes a rate meanwhile', async () => {
    const { child, output, exit } = start(away)
    await once(child.stdout, 'data')
    child.stdin.write('rate 200\n')
    await once(child.stdout, 'data')
    expect(output()).toContain('From now on 200 sessions a second.')
    child.stdin.end()
    expect((await exit)[0]).toBe(0)
  })
})
