// The life of the process: steps opened in order, closed in reverse when a signal comes, a step is lost, or the start fails.
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'

/** The first step, PostgreSQL, has what is left of `closeWithinMs` to itself. */
const closeWithinMs = 4_500
const othersCloseWithinMs = 2_300

export interface Steps {
  /** Opens a step; it is closed when the process ends, after all that were opened later. */
  open<Step extends Closable>(step: Step | Promise<Step>): Promise<Step>
  /** A step that the rest cannot do without has ended by itself. */
  lost(error: Error): void
}

interface Closable {
  close(): Promise<unknown> | unknown
}

/**
 * Runs `start`, waits for SIGINT or SIGTERM, and closes the steps. Resolves with the exit code once all are closed, or after 4.5 s
 * whatever happens: 0 when told to stop, 1 when a step was lost. Rejects with what `start` threw.
 */
export async function runUntilStopped(log: Logger, start: (steps: Steps) => Promise<void>): Promise<number> {
  const opened: Closable[] = []
  let told = false
  let stop: (code: number) => void = () => {}
  let fail: (error: unknown) => void = () => {}
  const stopped = new Promise<number>((resolve, reject) => {
    stop = (code) => {
      told = true
      resolve(code)
    }
    fail = reject
  })
  // npm passes on the Ctrl-C that the terminal has sent to all already, so a second signal means no more than the first.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop(0))

  const steps: Steps = {
    async open(step) {
      const ready = await step
      if (told) {
        await closeOne(log, ready)
        throw new Stopped()
      }
      opened.push(ready)
      return ready
    },
    lost(error) {
      if (!told) log.fatal({ err: error }, 'a step was lost; the server stops')
      stop(1)
    },
  }

  const started = start(steps).catch((error: unknown) => {
    if (!(error instanceof Stopped) && !told) fail(error)
  })
  try {
    return await stopped
  } finally {
    told = true
    // A start under way fails soon, for what it stands on is gone.
    await Promise.race([Promise.all([close(log, opened), started]), delay(closeWithinMs)])
  }
}

class Stopped extends Error {}

async function close(log: Logger, opened: Closable[]): Promise<void> {
  const [first, ...others] = opened
  const closeOthers = async () => {
    for (const step of others.reverse()) await closeOne(log, step)
  }
  await Promise.race([closeOthers(), delay(othersCloseWithinMs)])
  if (first) await closeOne(log, first)
}

async function closeOne(log: Logger, step: Closable): Promise<void> {
  try {
    await step.close()
  } catch (error) {
    log.error({ err: error }, 'a step did not close cleanly')
  }
}
