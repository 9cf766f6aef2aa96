// A stream of events to someone who is gone without a word, found by what the kernel sends again in vain.
import { once } from 'node:events'
import { createServer, get, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { expect, test } from 'vitest'
import { readTables, watchSilent } from '../../server/transport/silent.ts'

/** An address as the kernel writes it: words of four bytes, the lowest byte first. */
const hexOf = (bytes: number[]) => Buffer.from(bytes).swap32().toString('hex').toUpperCase()
const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255]
const v6loopback = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]

const port = (number: number) => number.toString(16).toUpperCase().padStart(4, '0')
const line = (address: string, { localPort, remotePort }: Socket, again: number) =>
  `   7: ${address}:${port(localPort!)} ${address}:${port(remotePort!)} 01 00000024:00000000 01:00000014 ` +
  `${again.toString(16).padStart(8, '0')}     0        0 4657839 2 00000000bd064a0c 100 0 0 10 0\n`

async function openStream(host: string, clientHost = host) {
  const server = createServer()
  server.listen(0, host)
  await once(server, 'listening')
  const requested = once(server, 'request') as Promise<[unknown, ServerResponse]>
  const client = get({ host: clientHost, port: (server.address() as AddressInfo).port })
  client.on('error', () => undefined)
  const [, stream] = await requested
  return {
    stream,
    close() {
      client.destroy()
      server.close()
    },
  }
}

test.for([
  ['127.0.0.1', '127.0.0.1', hexOf([127, 0, 0, 1])],
  ['::1', '::1', hexOf(v6loopback)],
  ['::', '127.0.0.1', hexOf([...mapped, 127, 0, 0, 1])],
] as const)(
  'a stream is let go once nothing was acknowledged for a while: at %s, to %s',
  async ([host, from, address]) => {
    const { stream, close } = await openStream(host, from)
    let times = 0
    let looks = 0
    const watch = watchSilent(
      {
        streams: () => [stream],
        letGo: (silent) => silent.destroy(),
        tables: async () => {
          looks++
          return line(address, stream.socket!, ++times)
        },
      },
      { lookMs: 20, silentMs: 100 },
    )
    try {
      await once(stream, 'close')
      expect(looks).toBeGreaterThan(2)
    } finally {
      watch.close()
      close()
    }
  },
)

test('a stream whose client answers now and then is spared, and so is one of another connection', async () => {
  const { stream, close } = await openStream('127.0.0.1')
  const other = await openStream('127.0.0.1')
  const loopback = hexOf([127, 0, 0, 1])
  const gone: ServerResponse[] = []
  let looks = 0
  const watch = watchSilent(
    {
      streams: () => [stream, other.stream],
      letGo: (silent) => gone.push(silent),
      tables: async () => {
        looks++
        return looks % 3 === 0 ? '' : line(loopback, stream.socket!, looks % 3)
      },
    },
    { lookMs: 10, silentMs: 60 },
  )
  try {
    await expect.poll(() => looks).toBeGreaterThan(30)
    expect(gone).toEqual([])
  } finally {
    watch.close()
    close()
    other.close()
  }
})

test("this machine's own table is read, where it has one, and tells of no connection that answers", async () => {
  const { stream, close } = await openStream('127.0.0.1')
  try {
    const { localPort, remotePort } = stream.socket!
    const text = await readTables()
    const ours = text
      .split('\n')
      .filter((row) => row.includes(`:${port(localPort!)} `) && row.includes(`:${port(remotePort!)} `))
    expect(ours).toHaveLength(process.platform === 'linux' ? 2 : 0)
    for (const row of ours)
      expect(row).toMatch(/^ *\d+: 0100007F:[0-9A-F]{4} 0100007F:[0-9A-F]{4} 01 \S+ \S+ 00000000 /)
  } finally {
    close()
  }
})
