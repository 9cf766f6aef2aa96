// Names the figures that the steps give, in Prometheus' way: one file a step. What is counted belongs to the step itself.
import { collectDefaultMetrics, Registry } from 'prom-client'

/** Bounds of histograms of durations, in seconds. */
export const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** A registry that tells of the process (CPU, memory, event loop) and waits for the steps to be named. */
export function makeRegistry(): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return registry
}
