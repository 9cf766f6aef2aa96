// A way to PostgreSQL that can be cut, or fall silent as one does whose other end is gone without a word.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Way {
  /** The connection string of the database at its end. */
  url: string
  /** Breaks every connection. */
  cut(): void
  /** Nothing passes any more on the connections there are; new ones are as ever. */
  hush(): void
  close(): void
}

export async function makeWay(databaseUrl: string): Promise<Way> {
  const { hostname, port } = new URL(databaseUrl)
  const pairs = new Set<[Socket, Socket]>()
  const server = createServer((here) => {
    const there = connect(Number(port), hostname)
    const pair: [Socket, Socket] = [here, there]
    pairs.add(pair)
    for (const end of pair) {
      end.on('error', () => undefined)
      end.on('close', () => {
        pairs.delete(pair)
        for (const each of pair) each.destroy()
      })
    }
    here.pipe(there).pipe(here)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(databaseUrl)
  Object.assign(url, { hostname: '127.0.0.1', port: String((server.address() as AddressInfo).port) })
  const cut = () => {
    for (const [here] of pairs) here.destroy()
  }
  return {
    url: url.href,
    cut,
    hush() {
      for (const pair of pairs) for (const end of pair) end.unpipe().pause()
    },
    close() {
      server.close()
      cut()
    },
  }
}
