// The server's time, as well as a browser can know it: windows end by the server's clock, not by that of a desk.

const SAMPLES = 16

export interface ServerClock {
  /** Ms since the epoch by the server's clock; before the first sample, by this machine's. */
  nowMs(): number
  /** `serverMs`: what the server wrote into a message that has just come in. */
  sample(serverMs: number): void
}

/** Every sample is late by its way through the net, so the latest-looking of the last 16 is nearest the truth. */
export function makeServerClock(localMs: () => number = Date.now): ServerClock {
  let offsets: number[] = []
  return {
    nowMs: () => localMs() + (offsets.length > 0 ? Math.max(...offsets) : 0),
    sample(serverMs) {
      offsets = [...offsets.slice(1 - SAMPLES), serverMs - localMs()]
    },
  }
}
