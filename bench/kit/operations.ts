// What many viewers watch in the benches: twenty distinct windows, each of which has an update a second while events come in.
import type { Operation } from './viewers.ts'

const query = `subscription ($metrics: [Metric!]!, $window: Duration!, $after: Cursor) {
  metrics(metrics: $metrics, window: $window, every: "PT1S", after: $after) {
    kind cursor previousCursor windowStart windowEnd committedAt totals { metric value } points { bucket values }
  }
}`
const windows = ['PT1M', 'PT2M', 'PT3M', 'PT4M', 'PT5M']
const metrics = [['EVENTS'], ['PAGE_VIEWS', 'ERRORS'], ['CART_ADDS', 'PURCHASES'], ['ERROR_RATE', 'EVENTS']]

export const twentyStreams: Operation[] = windows.flatMap((window) =>
  metrics.map((each) => ({ query, variables: { metrics: each, window } })),
)
