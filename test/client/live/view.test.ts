import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { makePainter } from '../../../client/live/painter.ts'
import { makeView } from '../../../client/live/view.ts'

let frames: (() => void)[] = []
const nextFrame = (run: () => void) => void frames.push(run)
const runFrame = () => {
  const due = frames
  frames = []
  for (const run of due) run()
}

beforeEach(() => {
  frames = []
  vi.useFakeTimers()
})
afterEach(() => vi.useRealTimers())

it('paints with the next frame, once however often it was asked', () => {
  const painter = makePainter(nextFrame)
  const paint = vi.fn()
  painter.request(paint)
  painter.request(paint)
  expect(paint).not.toHaveBeenCalled()
  runFrame()
  runFrame()
  expect(paint).toHaveBeenCalledTimes(1)
})

it('does not paint while the view is held, and paints what waited once it is released', () => {
  const painter = makePainter(nextFrame)
  const view = makeView(painter, { nowMs: () => 1_000, arrived: () => 0 })
  const paint = vi.fn()
  view.hold()
  painter.request(paint)
  runFrame()
  expect(paint).not.toHaveBeenCalled()
  view.release()
  runFrame()
  expect(paint).toHaveBeenCalledTimes(1)
})

it('holds even what was already waiting for the frame', () => {
  const painter = makePainter(nextFrame)
  const view = makeView(painter, { nowMs: () => 1_000, arrived: () => 0 })
  const paint = vi.fn()
  painter.request(paint)
  view.hold()
  runFrame()
  expect(paint).not.toHaveBeenCalled()
})

it('says when it was held and counts the rows that came since', () => {
  let arrived = 100
  const view = makeView(makePainter(nextFrame), { nowMs: () => 1_234, arrived: () => arrived })
  view.toggle()
  expect(view.heldAtMs.value).toBe(1_234)
  arrived = 137
  vi.advanceTimersByTime(1_000)
  expect(view.missed.value).toBe(37)
  view.toggle()
  expect(view.heldAtMs.value).toBeNull()
})
