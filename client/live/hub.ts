// Everything live in one hand: the streams (each opened once, however many panels look), the clock, the view that may be held.
import type { AnyVariables } from '@urql/core'
import { getOperationName } from '@urql/core'
import { computed, shallowRef, type ComputedRef, type ShallowRef } from 'vue'
import type { Api } from '../api/api.ts'
import { makeServerClock } from './clock.ts'
import { follow, type Followed, type Live } from './follow.ts'
import { readFreshness, type Freshness } from './freshness.ts'
import type { MetricsFrame } from './fold/metrics.ts'
import { makePainter, type Painter } from './painter.ts'
import { requests, type Stats } from './requests.ts'
import { PULSE } from './windows.ts'
import { makeView, type View } from './view.ts'

export interface Hub {
  /** The stream of that document and those variables; `close` gives it back. */
  open<Data, Variables extends AnyVariables, Frame>(followed: Followed<Data, Variables, Frame>): Live<Frame>
  readonly stats: Live<Stats>
  readonly pulse: Live<MetricsFrame>
  readonly view: View
  /** The second that is on screen, by the server's clock; it stands still while the view is held or the server is away. */
  readonly nowMs: Readonly<ShallowRef<number>>
  /** Ticks on whatever happens: for countdowns and for the state of the connection. */
  readonly localMs: Readonly<ShallowRef<number>>
  readonly freshness: ComputedRef<Freshness>
  retryNow(): void
  close(): void
}

export function makeHub(api: Api, painter: Painter = makePainter()): Hub {
  const { connection, client } = api
  const streams = new Map<string, { live: Live<unknown>; leases: number }>()
  const clock = makeServerClock()

  function open<Data, Variables extends AnyVariables, Frame>(followed: Followed<Data, Variables, Frame>): Live<Frame> {
    const key = `${getOperationName(followed.document)} ${JSON.stringify(followed.variables)}`
    const shared = streams.get(key) ?? { live: follow({ client, painter }, followed), leases: 0 }
    streams.set(key, shared)
    shared.leases++
    let leased = true
    return {
      ...(shared.live as Live<Frame>),
      close() {
        if (!leased) return
        leased = false
        if (--shared.leases > 0) return
        streams.delete(key)
        shared.live.close()
      },
    }
  }

  let beatMs: number | null = null
  const stats = open(
    requests.stats(({ at }) => {
      beatMs = Date.now()
      clock.sample(Date.parse(at))
    }),
  )
  const pulse = open(requests.pulse())

  const arrived = () =>
    [...streams.values()].reduce((sum, { live }) => sum + ((live.latest() as { arrived?: number })?.arrived ?? 0), 0)
  const view = makeView(painter, { nowMs: clock.nowMs, arrived })

  const nowMs = shallowRef(clock.nowMs())
  const localMs = shallowRef(Date.now())
  const paintSecond = () => void (nowMs.value = clock.nowMs())
  let timer: ReturnType<typeof setTimeout>
  const tick = () => {
    localMs.value = Date.now()
    if (connection.state.value.is === 'open') painter.request(paintSecond)
    // With the server's second, so that the bars of the seconds move on when the second does.
    timer = setTimeout(tick, 1_000 - (clock.nowMs() % 1_000) + 5)
  }
  tick()

  const freshness = computed<Freshness>(() => {
    // Read in any case: each second it is computed anew from what does not announce itself.
    const now = localMs.value
    const running = stats.latest()
    const rowsComeIn = (running?.rowsPerSecond ?? 0) > 0
    return readFreshness({
      connection: connection.state.value,
      heartbeatAgeMs: beatMs === null ? null : now - beatMs,
      streamLagMs: running?.streamLagMs ?? null,
      rowLagMs: rowsComeIn ? newestRowAgeMs(pulse.latest(), clock.nowMs()) : null,
    })
  })

  return {
    open,
    stats,
    pulse,
    view,
    nowMs,
    localMs,
    freshness,
    retryNow: connection.retryNow,
    close() {
      clearTimeout(timer)
      for (const { live } of streams.values()) live.close()
      streams.clear()
      painter.close()
      api.close()
    },
  }
}

/** Age of the newest second of the pulse that holds anything; when none does, all that the pulse reaches back. */
function newestRowAgeMs(pulse: MetricsFrame | undefined, nowMs: number): number | null {
  if (!pulse) return null
  let newestMs = nowMs - PULSE.bucketMs * PULSE.length
  for (const [startMs, values] of pulse.points)
    if (startMs > newestMs && values.some((value) => value)) newestMs = startMs
  return Math.max(0, nowMs - newestMs - PULSE.bucketMs)
}
