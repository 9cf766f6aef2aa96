// Which address a request comes from, and how many live connections each has. A proxy in front is believed where it is trusted.
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'

export interface Addresses {
  of(request: IncomingMessage): string
  /** Takes a place for a live connection; nothing when the address has as many as it may. The answer gives it back. */
  enter(address: string): (() => void) | undefined
}

const isLoopback = (address: string) => address === '::1' || address.startsWith('127.')

/** IPv4 as such, however it is written. */
const plain = (address: string) => address.trim().replace(/^::ffff:(?=\d+\.)/i, '')

/** A loopback address is this machine, or a proxy on it that was not named: it has no limit of its own. */
export function makeAddresses(trustedProxies: readonly string[], livePerAddressMax: number): Addresses {
  const trusted = new Set(trustedProxies.map(plain))
  const live = new Map<string, number>()

  return {
    of({ socket, headers }) {
      let address = plain(socket.remoteAddress ?? '')
      // Each proxy adds whom it was called by at the end; what stands before the first stranger, anyone may have written.
      const said = String(headers['x-forwarded-for'] ?? '').split(',')
      while (trusted.has(address)) {
        const before = plain(said.pop() ?? '')
        if (isIP(before) === 0) break
        address = before
      }
      return address
    },
    enter(address) {
      const count = live.get(address) ?? 0
      if (count >= livePerAddressMax && !isLoopback(address)) return undefined
      live.set(address, count + 1)
      let entered = true
      return () => {
        if (!entered) return
        entered = false
        const left = (live.get(address) ?? 1) - 1
        if (left > 0) live.set(address, left)
        else live.delete(address)
      }
    },
  }
}
