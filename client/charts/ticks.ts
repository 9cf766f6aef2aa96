// Where the labels of a time axis stand: at round times of the clock on the wall, no nearer to each other than they are wide.

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const STEPS_MS = [
  ...[5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 4, 6, 12, 24].map((n) => n * HOUR),
]

export interface TimeAxis {
  /** Of the plot within its chart. */
  leftPx: number
  widthPx: number
  firstMs: number
  lastMs: number
}

/** "14:02:10" takes so much room, with air; "14:02" of whole minutes needs less. */
const roomPx = (stepMs: number) => (stepMs < MINUTE ? 80 : 56)

/** `zoneMs`: how far local time is ahead of UTC, so that the hours are local ones. */
export function readTicks(
  { leftPx, widthPx, firstMs, lastMs }: TimeAxis,
  zoneMs = -new Date(lastMs).getTimezoneOffset() * MINUTE,
): { stepMs: number; ticks: { ms: number; px: number }[] } {
  const spanMs = lastMs - firstMs
  const fits = (step: number) => spanMs / step <= Math.min(7, Math.max(1, widthPx / roomPx(step)))
  const stepMs = STEPS_MS.find(fits) ?? 24 * HOUR
  const ticks: { ms: number; px: number }[] = []
  if (!(spanMs > 0)) return { stepMs, ticks }
  for (let ms = Math.ceil((firstMs + zoneMs) / stepMs) * stepMs - zoneMs; ms <= lastMs; ms += stepMs) {
    const px = leftPx + ((ms - firstMs) / spanMs) * widthPx
    if (px >= roomPx(stepMs) / 2) ticks.push({ ms, px })
  }
  return { stepMs, ticks }
}
