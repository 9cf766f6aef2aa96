// Subscription.stats: one reading per distinct interval, shared, the newest one kept for whoever is slow.
import { LookoutError } from '../errors.ts'
import { makeOutlet, type Outlet, type Stream } from '../outlet.ts'

export interface StatsStreams<Stats> {
  /** @throws LookoutError BAD_REQUEST for an interval out of range, OVERLOADED where there are too many different ones. */
  subscribe(everyMs: number): Stream<Stats>
  subscribers(): number
  close(): void
}

interface Listener<Stats> {
  waiting: Stats | undefined
  outlet: Outlet<Stats>
}

interface Ticker<Stats> {
  listeners: Set<Listener<Stats>>
  latest?: Stats
  stop(): void
}

/** Readings are taken by `read`. One that fails is left out; the first one, failing, ends the streams that wait for it. */
export function makeStatsStreams<Stats>(
  read: () => Promise<Stats> | Stats,
  { everyMsMin, everyMsMax, feedsMax }: { everyMsMin: number; everyMsMax: number; feedsMax: number },
): StatsStreams<Stats> {
  const tickers = new Map<number, Ticker<Stats>>()

  function start(everyMs: number): Ticker<Stats> {
    let reading = false
    const tick = async () => {
      if (reading) return
      reading = true
      try {
        const taken = await read()
        ticker.latest = taken
        // Whoever leaves meanwhile is told no more; whoever comes has the newest already.
        for (const listener of ticker.listeners) {
          listener.waiting = taken
          listener.outlet.wake()
        }
      } catch (error) {
        if (!ticker.latest) for (const { outlet } of [...ticker.listeners]) outlet.end(error)
      } finally {
        reading = false
      }
    }
    const timer = setInterval(() => void tick(), everyMs)
    const ticker: Ticker<Stats> = { listeners: new Set(), stop: () => clearInterval(timer) }
    tickers.set(everyMs, ticker)
    void tick()
    return ticker
  }

  function subscribe(everyMs: number): Stream<Stats> {
    if (everyMs < everyMsMin || everyMs > everyMsMax) {
      throw new LookoutError(
        'BAD_REQUEST',
        `every must be from ${everyMsMin} ms to ${everyMsMax} ms; got ${everyMs} ms.`,
      )
    }
    if (!tickers.has(everyMs) && tickers.size >= feedsMax) {
      throw new LookoutError('OVERLOADED', `All ${feedsMax} distinct intervals are taken.`, { retryAfterMs: 5000 })
    }
    const ticker = tickers.get(everyMs) ?? start(everyMs)
    const outlet = makeOutlet<Stats>({
      take() {
        const taken = listener.waiting
        listener.waiting = undefined
        return taken
      },
      onEnd() {
        ticker.listeners.delete(listener)
        if (ticker.listeners.size > 0) return
        ticker.stop()
        tickers.delete(everyMs)
      },
    })
    const listener: Listener<Stats> = { waiting: ticker.latest, outlet }
    ticker.listeners.add(listener)
    return outlet.stream
  }

  return {
    subscribe,
    subscribers: () => [...tickers.values()].reduce((sum, { listeners }) => sum + listeners.size, 0),
    close() {
      for (const { listeners } of [...tickers.values()]) for (const { outlet } of [...listeners]) outlet.end()
    },
  }
}
