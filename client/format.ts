// Numbers, money and times as people read them, by Intl; one object for the page's locale, currency and time zone.
import type { MetricUnit } from './api/generated/documents.ts'

export interface Format {
  /** A value as a card shows it; null is an en dash: not defined, which is not zero. */
  value(value: number | null | undefined, unit: MetricUnit): string
  /** The same with all its digits. */
  exact(value: number | null | undefined, unit: MetricUnit): string
  /** For the labels of an axis: short. */
  axis(value: number, unit: MetricUnit): string
  count(value: number): string
  /** All digits, however many. */
  whole(value: number): string
  money(value: number): string
  /** Of an amount that came as a Decimal: all its digits. */
  decimal(value: string): string
  percent(value: number, digits?: number): string
  /** A change with its sign: "+12.4%"; beyond tenfold as a factor: "×12". */
  change(ratio: number): string
  milliseconds(value: number | null): string
  bytes(value: number): string
  /** "3 d 4 h", "12 m 5 s": the two largest parts. */
  span(milliseconds: number): string
  /** Of an instant: hours, minutes, seconds. */
  time(ms: number): string
  /** Of an instant: hours and minutes. */
  minute(ms: number): string
  dateTime(ms: number): string
}

const ABSENT = '–'

export function makeFormat({
  locale,
  currency = 'USD',
  timeZone,
}: { locale?: string; currency?: string; timeZone?: string } = {}): Format {
  const number = (options: Intl.NumberFormatOptions) => {
    const format = new Intl.NumberFormat(locale, options)
    return (value: number) => format.format(value)
  }
  const date = (options: Intl.DateTimeFormatOptions) => {
    const format = new Intl.DateTimeFormat(locale, { timeZone, hourCycle: 'h23', ...options })
    return (ms: number) => format.format(ms)
  }
  const money = { style: 'currency', currency, currencyDisplay: 'narrowSymbol' } as const

  const whole = number({ maximumFractionDigits: 0 })
  const short = number({ notation: 'compact', maximumSignificantDigits: 4 })
  const axisCount = number({ notation: 'compact', maximumFractionDigits: 1 })
  const cents = number({ ...money })
  const wholeMoney = number({ ...money, maximumFractionDigits: 0 })
  const shortMoney = number({ ...money, notation: 'compact', maximumSignificantDigits: 4 })
  const axisMoney = number({ ...money, notation: 'compact', minimumFractionDigits: 0, maximumFractionDigits: 1 })
  const percents = [0, 1, 2].map((digits) =>
    number({ style: 'percent', minimumFractionDigits: digits, maximumFractionDigits: digits }),
  )
  const signed = number({
    style: 'percent',
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
    signDisplay: 'exceptZero',
  })
  const oneDigit = number({ maximumFractionDigits: 1 })
  const twoDigits = number({ maximumSignificantDigits: 3 })

  const count = (value: number) => (Math.abs(value) < 1e6 ? whole(value) : short(value))
  const amount = (value: number) =>
    Math.abs(value) < 1e3 ? cents(value) : Math.abs(value) < 1e6 ? wholeMoney(value) : shortMoney(value)
  const percent = (value: number, digits = 1) => (percents[digits] ?? percents[1]!)(value)

  return {
    value(value, unit) {
      if (value == null) return ABSENT
      if (unit === 'MONEY') return amount(value)
      if (unit === 'RATIO') return percent(value)
      return unit === 'SECONDS' ? `${oneDigit(value)} s` : count(value)
    },
    exact(value, unit) {
      if (value == null) return ABSENT
      if (unit === 'MONEY') return cents(value)
      if (unit === 'RATIO') return percent(value, 2)
      return unit === 'SECONDS' ? `${twoDigits(value)} s` : whole(value)
    },
    axis(value, unit) {
      if (unit === 'MONEY') return axisMoney(value)
      if (unit === 'RATIO') return percent(value, 0)
      return unit === 'SECONDS' ? `${oneDigit(value)} s` : axisCount(value)
    },
    count,
    whole,
    money: amount,
    decimal: (value) => cents(Number(value)),
    percent,
    change: (ratio) => (ratio > 9 ? `×${whole(ratio + 1)}` : signed(ratio).replace('-', '−')),
    milliseconds(value) {
      if (value === null) return ABSENT
      return value < 1_000 ? `${twoDigits(value)} ms` : `${oneDigit(value / 1_000)} s`
    },
    bytes(value) {
      const power = Math.min(4, Math.floor(Math.log2(Math.max(1, value)) / 10))
      return `${twoDigits(value / 1024 ** power)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`
    },
    span: readSpan,
    time: date({ hour: '2-digit', minute: '2-digit', second: '2-digit' }),
    minute: date({ hour: '2-digit', minute: '2-digit' }),
    dateTime: date({ dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' }),
  }
}

function readSpan(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1_000))
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ]
  const first = parts.findIndex(([value]) => value > 0)
  if (first < 0) return '0 s'
  return parts
    .slice(first, first + 2)
    .filter(([value], index) => index === 0 || value > 0)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(' ')
}
