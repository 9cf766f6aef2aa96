// Who is gone without a word from a stream of events, which knows no ping: the kernel sends again and again what nobody acknowledges,
// and would do so for a quarter of an hour. Linux tells how often, in a table of all connections; where there is no such table
// nobody is found, and streams end when the kernel gives up.
import { readFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { SocketAddress } from 'node:net'

const TABLES = ['/proc/net/tcp', '/proc/net/tcp6']

/** The tables' text; empty where there are none. */
export async function readTables(): Promise<string> {
  const tables = await Promise.all(TABLES.map((path) => readFile(path, 'latin1').catch(() => '')))
  return tables.join('')
}

/** Established connections whose last bytes were sent more than once: both ends, and how often. */
const SENT_AGAIN = /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) ([0-9A-F]+):([0-9A-F]{4}) 01 \S+ \S+ (?!0{8})([0-9A-F]{8}) /gm

const keyOf = (localPort: number, remoteAddress: string, remotePort: number) =>
  `${localPort} ${remoteAddress} ${remotePort}`

/** How often the kernel has sent the last bytes again, by connection. */
function readSentAgain(tables: string): Map<string, number> {
  const times = new Map<string, number>()
  for (const [, local, address, remote, again] of tables.matchAll(SENT_AGAIN)) {
    times.set(keyOf(parseInt(local!, 16), addressOf(address!), parseInt(remote!, 16)), parseInt(again!, 16))
  }
  return times
}

/** Words of four bytes in this machine's order, the lowest first, as text. */
function addressOf(hex: string): string {
  const bytes = Buffer.from(hex, 'hex').swap32()
  if (bytes.length === 4) return bytes.join('.')
  const address = bytes.toString('hex').replace(/(....)(?=.)/g, '$1:')
  return new SocketAddress({ address, family: 'ipv6' }).address
}

export interface SilentWatch {
  close(): void
}

export interface SilentOptions {
  lookMs: number
  /** A connection on which nothing was acknowledged for so long is let go. */
  silentMs: number
}

/** Looks only while there are streams. */
export function watchSilent(
  {
    streams,
    letGo,
    tables = readTables,
  }: {
    streams: () => Iterable<ServerResponse>
    letGo: (stream: ServerResponse) => void
    tables?: () => Promise<string>
  },
  { lookMs, silentMs }: SilentOptions,
): SilentWatch {
  /** Since when, and how often by the last look. */
  let silent = new Map<string, { sinceMs: number; times: number }>()
  let looking = false

  async function look(): Promise<void> {
    const watched = [...streams()]
    if (watched.length === 0 || looking) return
    looking = true
    const nowMs = performance.now()
    const known = silent
    silent = new Map()
    for (const [key, times] of readSentAgain(await tables())) {
      const before = known.get(key)
      // Fewer than before: something was acknowledged meanwhile.
      silent.set(key, { times, sinceMs: before && times >= before.times ? before.sinceMs : nowMs })
    }
    looking = false
    for (const stream of watched) {
      const { localPort, remoteAddress, remotePort } = stream.socket ?? {}
      const found = remoteAddress && silent.get(keyOf(localPort!, remoteAddress, remotePort!))
      if (found && nowMs - found.sinceMs >= silentMs) letGo(stream)
    }
  }

  const timer = setInterval(() => void look(), lookMs).unref()
  return { close: () => clearInterval(timer) }
}
