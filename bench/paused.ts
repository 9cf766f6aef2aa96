// What viewers that stop reading do to the others: thousands that read, alone and then beside a thousand that asked for much and
// take nothing, until those are let go.
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type BenchResult, progress, quantile, residentMb, startBenchPostgres } from './kit.ts'
import { twentyStreams } from './kit/operations.ts'
import { startServer, startViewers, type Viewers, writeEvents } from './kit/streams.ts'
import type { ViewersOptions } from './kit/viewers.ts'

export const about = 'p99 of 5,000 viewers beside 1,000 that stop reading, against the same viewers alone'

/** Fills what the kernels hold of a connection at once: megabytes of messages, and then the window that all others watch. */
const large = { query: 'subscription { messages { kind cursor previousCursor messages { title text } } }' }
const largeOnes = 12
const textBytes = 4_000

export async function run(args: string[]): Promise<BenchResult> {
  const { values } = parseArgs({
    args,
    options: {
      viewers: { type: 'string', default: '5000' },
      paused: { type: 'string', default: '1000' },
      seconds: { type: 'string', default: '15' },
    },
  })
  const postgres = await startBenchPostgres()
  await (await postgres.makeDatabase('bench')).end()
  const server = await startServer({ DATABASE_URL: postgres.url('bench') })
  const opened: Viewers[] = []
  const open = async (options: Omit<ViewersOptions, 'port' | 'atOnce'>) => {
    const viewers = await startViewers({ port: server.port, atOnce: 100, ...options })
    opened.push(viewers)
    return viewers
  }
  try {
    await postMessages(server.url)
    const writer = writeEvents(server.url, { perSecond: 200, perCall: 50 })
    await sleep(3_000)
    progress('connecting')
    const reading = await open({ count: Number(values.viewers), operations: twentyStreams })

    async function measure(who: string) {
      await reading.reset()
      await sleep(Number(values.seconds) * 1000)
      const { latenciesMs, messages, lost, ended } = await reading.report()
      const figures = await figuresOf(server.url)
      const p99 = quantile(latenciesMs, 0.99)
      const row = {
        viewers: who,
        'messages/s': Math.round(messages / Number(values.seconds)),
        'p50 ms': Math.round(quantile(latenciesMs, 0.5)),
        'p99 ms': Math.round(p99),
        lost: lost + ended,
        'merged for who is late': figures('lookout_messages_conflated_total'),
        'server MB': Math.round(residentMb(server.pid)),
      }
      return { row, p99, lost: lost + ended }
    }

    await sleep(3_000)
    progress('measuring those who read alone')
    const alone = await measure(values.viewers)
    progress(`measuring them beside ${values.paused} that stop reading`)
    const operations = [...Array.from({ length: largeOnes }, () => large), twentyStreams[0]!]
    await open({ count: Number(values.paused), operations, each: operations.length, deaf: true })
    const beside = await measure(`${values.viewers} beside ${values.paused} that stop reading`)
    progress('waiting until those are let go')
    const goneS = await secondsUntil(Number(values.seconds) + 30, async () => {
      const figures = await figuresOf(server.url)
      const [slow, silent] = ['too_slow', 'lost'].map((reason) => figures(`${closed}{reason="${reason}"}`))
      return slow! + silent! >= Number(values.paused)
    })
    await writer.stop()
    return {
      rows: [alone.row, { ...beside.row, 'all let go after s': Number(values.seconds) + goneS }],
      verdicts: [
        { what: 'p99 beside ÷ alone', value: beside.p99 / alone.p99, atMost: 1.2 },
        { what: 'messages and viewers lost of those who read', value: alone.lost + beside.lost, atMost: 0 },
      ],
    }
  } finally {
    for (const viewers of opened) await viewers.close()
    await server.stop()
    await postgres.close()
  }
}

/** As many as a stream of messages begins with. */
async function postMessages(url: string): Promise<void> {
  const messages = Array.from({ length: 100 }, () => ({
    severity: 'DANGER',
    title: 'large',
    text: 'x'.repeat(textBytes),
  }))
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      query: 'mutation ($messages: [MessageInput!]!) { postMessages(messages: $messages) { accepted } }',
      variables: { messages },
    }),
  })
  const { data } = (await response.json()) as { data?: { postMessages: { accepted: number } } }
  if (data?.postMessages.accepted !== messages.length) throw new Error('the messages were not accepted')
}

const closed = 'lookout_sockets_closed_total'

/** Looks every second; NaN where it does not come to be within `secondsMax`. */
async function secondsUntil(secondsMax: number, isSo: () => Promise<boolean>): Promise<number> {
  for (let seconds = 0; seconds < secondsMax; seconds++) {
    if (await isSo()) return seconds
    await sleep(1_000)
  }
  return NaN
}

/** The server's own figures, by their names in /metrics. */
async function figuresOf(url: string): Promise<(name: string) => number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return (name) =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${name} `))
        ?.split(' ')[1] ?? 0,
    )
}
