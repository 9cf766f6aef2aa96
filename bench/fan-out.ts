// What a delivery costs the server: one stream of metrics with a thousand viewers, against a bare ws server that sends text of
// the same length to as many, in the same run.
import type { BenchResult } from './kit.ts'
import { fanOut } from './kit/fanOut.ts'

export const about =
  'deliveries per CPU-second of the server, one stream with 1,000 viewers, against a bare ws broadcast'

export const run = (args: string[]): Promise<BenchResult> => fanOut('bare', args, 0.8)
