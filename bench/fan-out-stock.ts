// The same as fan-out, against a server as the documentation of Yoga and graphql-ws makes it, with a pubsub.
import type { BenchResult } from './kit.ts'
import { fanOut } from './kit/fanOut.ts'

export const about = 'deliveries per CPU-second of the server, against stock Yoga and graphql-ws with a pubsub'

export const run = (args: string[]): Promise<BenchResult> => fanOut('stock', args, 5)
