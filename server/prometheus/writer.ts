// What the writer tells: each commit with its rows and its time, and how full the queue in front of it is.
import { Gauge, Histogram, type Registry } from 'prom-client'
import type { Commit, Writer } from '../writer/writer.ts'
import { SECONDS } from './registry.ts'

/** Rows of a commit; calls are not split, so one may be larger than the writer's own bound. */
const ROWS = [1, 10, 50, 100, 500, 1_000, 2_500, 5_000, 10_000, 20_000]

/** Answers what is to be called after each commit. */
export function nameCommits(registry: Registry): (commit: Commit) => void {
  const registers = [registry]
  const rows = new Histogram({
    name: 'lookout_commit_rows',
    help: 'Rows of the calls that share a commit, repeats among them.',
    buckets: ROWS,
    registers,
  })
  const seconds = new Histogram({
    name: 'lookout_commit_seconds',
    help: 'From the first statement of a group of calls to its commit.',
    buckets: SECONDS,
    registers,
  })
  return (commit) => {
    rows.observe(commit.rows)
    seconds.observe(commit.tookMs / 1000)
  }
}

/** Gauges that are read when they are asked for. */
export function nameQueue(registry: Registry, writer: Pick<Writer, 'stats' | 'ready'>): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read())
      },
    })
  gauge('lookout_queue_rows', 'Rows waiting or being written.', () => writer.stats().queueRows)
  gauge('lookout_queue_rows_max', 'Beyond it calls are answered OVERLOADED.', () => writer.stats().queueRowsMax)
  gauge('lookout_queue_bytes', 'Bytes of these rows, about.', () => writer.stats().queueBytes)
  gauge('lookout_queue_bytes_max', 'Beyond it calls are answered OVERLOADED.', () => writer.stats().queueBytesMax)
  gauge('lookout_writer_ready', '1 where rows can be written now, else 0.', () => Number(writer.ready()))
}
