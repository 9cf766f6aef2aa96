import { expect, it, vi } from 'vitest'
import { makeDrawQueue } from '../../../client/charts/drawQueue.ts'
import {
  niceMax,
  readHeights,
  timeChartOptions,
  timeChartSeries,
  type ChartLine,
} from '../../../client/charts/options.ts'
import { readTicks } from '../../../client/charts/ticks.ts'
import { makeFormat } from '../../../client/format.ts'

const format = makeFormat({ locale: 'en-US', timeZone: 'UTC' })
const lines: ChartLine[] = [
  { name: 'Page views', unit: 'COUNT', color: 'var(--a)', shape: 'area', side: 'left' },
  { name: 'Orders', unit: 'COUNT', color: 'var(--b)', shape: 'line', side: 'right' },
  { name: 'Errors', unit: 'COUNT', color: 'var(--c)', shape: 'dashed', side: 'right' },
]
const startsMs = [0, 1_000, 2_000]
const data = [
  { startsMs, values: [80, 90, 10] },
  { startsMs, values: [3, 9, 1] },
  { startsMs, values: [0, null, 17] },
]

it('leaves a gap where a value is not defined', () => {
  const [, , errors] = timeChartSeries(lines, data)
  expect(errors).toEqual({
    name: 'Errors',
    type: 'line',
    data: [
      { x: 0, y: 0 },
      { x: 1_000, y: null },
      { x: 2_000, y: 17 },
    ],
  })
})

it('gives lines of one side one axis that reaches the highest of them all', () => {
  expect(readHeights(lines, data)).toEqual({ left: 90, right: 17 })
  const { yaxis } = timeChartOptions(lines, format, true, () => readHeights(lines, data))
  const axes = yaxis as { seriesName: string[]; opposite: boolean; max: () => number }[]
  expect(axes.map(({ seriesName }) => seriesName)).toEqual([['Page views'], ['Orders', 'Errors']])
  expect(axes.map(({ opposite }) => opposite)).toEqual([false, true])
  expect(axes.map(({ max }) => max())).toEqual([100, 20])
})

it('never animates, and draws the unfinished bucket as unfinished', () => {
  const options = timeChartOptions(lines, format, true, () => ({ left: 1, right: 1 }))
  expect(options.chart?.animations?.enabled).toBe(false)
  expect(options.forecastDataPoints?.count).toBe(1)
})

it('tops its axes with numbers that divide well', () => {
  expect(niceMax(0, 'COUNT')).toBe(4)
  expect(niceMax(3, 'COUNT')).toBe(4)
  expect(niceMax(9, 'COUNT')).toBe(20)
  expect(niceMax(87, 'COUNT')).toBe(100)
  expect(niceMax(320.5, 'MONEY')).toBe(400)
  expect(niceMax(38.2, 'SECONDS')).toBe(40)
})

it('puts times below at round times of the wall clock, no nearer than they are wide', () => {
  const start = Date.UTC(2026, 0, 1, 10, 0, 25)
  const axis = { leftPx: 30, widthPx: 600, firstMs: start, lastMs: start + 295_000 }
  const { stepMs, ticks } = readTicks(axis, 0)
  expect(stepMs).toBe(60_000)
  expect(ticks.map(({ ms }) => format.time(ms))).toEqual(['10:01:00', '10:02:00', '10:03:00', '10:04:00', '10:05:00'])
  const narrow = readTicks({ ...axis, widthPx: 180 }, 0)
  expect(narrow.ticks.every(({ px }, index) => index === 0 || px - narrow.ticks[index - 1]!.px >= 56)).toBe(true)
})

it('aligns hours to the zone, not to UTC', () => {
  const start = Date.UTC(2026, 0, 1, 0, 10)
  const { ticks } = readTicks({ leftPx: 0, widthPx: 400, firstMs: start, lastMs: start + 86_400_000 }, 5.5 * 3_600_000)
  expect(ticks.every(({ ms }) => (ms + 5.5 * 3_600_000) % 3_600_000 === 0)).toBe(true)
})

it('draws one chart a frame, each no more than once a second, and always its newest picture', () => {
  let now = 0
  let frames: (() => void)[] = []
  const runFrame = () => {
    const due = frames
    frames = []
    now += 16
    for (const run of due) run()
  }
  const queue = makeDrawQueue(
    (run) => void frames.push(run),
    () => now,
  )
  const [a, b] = [{}, {}]
  const drawA = vi.fn()
  const drawB = vi.fn()
  queue.request(a, drawA)
  queue.request(b, drawB)
  runFrame()
  expect([drawA.mock.calls.length, drawB.mock.calls.length]).toEqual([1, 0])
  runFrame()
  expect(drawB).toHaveBeenCalledTimes(1)

  const older = vi.fn()
  queue.request(a, older)
  queue.request(a, drawA)
  runFrame()
  expect(drawA).toHaveBeenCalledTimes(1)
  while (now < 1_000) runFrame()
  expect(older).not.toHaveBeenCalled()
  expect(drawA).toHaveBeenCalledTimes(2)

  queue.request(b, drawB)
  queue.forget(b)
  now += 5_000
  runFrame()
  expect(drawB).toHaveBeenCalledTimes(1)
})
