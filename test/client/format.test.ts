import { expect, it } from 'vitest'
import { makeFormat } from '../../client/format.ts'
import { readPageState, writePageState } from '../../client/pageState.ts'

const format = makeFormat({ locale: 'en-US', timeZone: 'UTC' })

it('shows what is not defined as a dash, never as 0', () => {
  expect(format.value(null, 'RATIO')).toBe('–')
  expect(format.value(undefined, 'MONEY')).toBe('–')
  expect(format.value(0, 'MONEY')).toBe('$0.00')
})

it('keeps cents while they matter and all digits for who asks', () => {
  expect(format.value(86.414, 'MONEY')).toBe('$86.41')
  expect(format.value(12_345.67, 'MONEY')).toBe('$12,346')
  expect(format.exact(12_345.67, 'MONEY')).toBe('$12,345.67')
  expect(format.value(12_345_678, 'MONEY')).toBe('$12.35M')
  expect(format.decimal('19.9')).toBe('$19.90')
})

it('writes counts whole up to a million', () => {
  expect(format.value(999_999, 'COUNT')).toBe('999,999')
  expect(format.value(1_284_331, 'COUNT')).toBe('1.284M')
  expect(format.whole(1_284_331)).toBe('1,284,331')
})

it('writes changes with their sign, and those beyond tenfold as a factor', () => {
  expect(format.change(0.124)).toBe('+12.4%')
  expect(format.change(-0.05)).toBe('−5.0%')
  expect(format.change(0)).toBe('0.0%')
  expect(format.change(11)).toBe('×12')
})

it('writes ratios, seconds, bytes and spans in their units', () => {
  expect(format.value(0.0134, 'RATIO')).toBe('1.3%')
  expect(format.value(24.04, 'SECONDS')).toBe('24 s')
  expect(format.bytes(183e6)).toBe('175 MiB')
  expect(format.milliseconds(6.42)).toBe('6.42 ms')
  expect(format.milliseconds(2_340)).toBe('2.3 s')
  expect(format.span(0)).toBe('0 s')
  expect(format.span(3_725_000)).toBe('1 h 2 m')
  expect(format.span(86_400_000)).toBe('1 d')
})

it('writes times in the 24 hours of the zone it was given', () => {
  const ms = Date.UTC(2026, 0, 1, 0, 5, 9)
  expect(format.time(ms)).toBe('00:05:09')
  expect(makeFormat({ locale: 'en-US', timeZone: 'Asia/Tokyo' }).minute(ms)).toBe('09:05')
})

it('follows locale and currency', () =>
  expect(makeFormat({ locale: 'de-DE', currency: 'EUR' }).value(86.41, 'MONEY')).toBe('86,41\u00a0€'))

it('reads the page’s state from its address and writes it back', () => {
  const state = readPageState('?window=1h&theme=dark')
  expect(state).toMatchObject({ window: { id: '1h' }, theme: 'dark' })
  expect(writePageState('?debug=1', state)).toBe('?debug=1&window=1h&theme=dark')
  expect(writePageState('?theme=dark', { ...state, theme: 'auto' })).toBe('?window=1h')
})

it('falls back to five minutes and the system’s theme where the address says nothing sensible', () =>
  expect(readPageState('?window=yesterday&theme=pink')).toMatchObject({ window: { id: '5m' }, theme: 'auto' }))
