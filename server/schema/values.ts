// Texts of the wire to values, and back: moments, spans, decimals. Errors are sentences for the caller.
import { DAY_MS, HOUR_MS, isoDuration, MINUTE_MS, SECOND_MS } from '../metrics/spans.ts'

/** Month and day as they stand in a date, where there is such a day in any year: 29 February is left out. */
export const MONTH_AND_DAY =
  '(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)'
/** Hour and minute. */
export const HOUR_AND_MINUTE = '(?:[01]\\d|2[0-3]):[0-5]\\d'

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/

const show = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)

const dateTimeError = (text: string): Error =>
  new Error(`DateTime must be an RFC 3339 moment with its offset, like "2026-11-21T14:02:10.250Z"; got ${show(text)}.`)

/** RFC 3339 text to a Date (to the millisecond, finer digits are cut). Throws on days and hours that do not exist. */
export function readRfc3339(text: string): Date {
  const match = RFC3339.exec(text)
  if (!match) throw dateTimeError(text)
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const millisecond = Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'))
  const offsetMinutes = match[8] ? (Number(match[9]) * 60 + Number(match[10])) * (match[8] === '-' ? -1 : 1) : 0
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  const exists = month >= 1 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day && year >= 1
  // A leap second (…:60) is taken as the first instant after it, as PostgreSQL does.
  if (!exists || hour > 23 || minute > 59 || second > 60 || Number(match[9] ?? 0) > 23 || Number(match[10] ?? 0) > 59) {
    throw dateTimeError(text)
  }
  date.setUTCHours(hour, minute - offsetMinutes, second, millisecond)
  return date
}

const DURATION = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,](\d{1,9}))?S)?)?$/
/** A hundred years: beyond that arithmetic on dates stops making sense. */
const DURATION_MAX_MS = 36_525 * DAY_MS

/** ISO 8601 duration of fixed length to whole milliseconds. */
export function readDuration(text: string): number {
  const match = DURATION.exec(text)
  const parts = match?.slice(1) ?? []
  if (!match || parts.every((part) => part === undefined) || text.endsWith('T')) {
    throw new Error(
      `Duration must be an ISO 8601 span of weeks, days, hours, minutes or seconds, like "PT5M" or "P1D"; got ${show(text)}.`,
    )
  }
  const [weeks, days, hours, minutes, seconds] = parts.slice(0, 5).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
  ]
  const fraction = (parts[5] ?? '').padEnd(9, '0')
  if (!/^\d{3}0*$/.test(fraction))
    throw new Error(`Duration goes down to a millisecond ("PT0.001S"); got ${show(text)}.`)
  const ms =
    weeks * 7 * DAY_MS +
    days * DAY_MS +
    hours * HOUR_MS +
    minutes * MINUTE_MS +
    seconds * SECOND_MS +
    Number(fraction.slice(0, 3))
  if (ms > DURATION_MAX_MS) throw new Error(`Duration must not be longer than 100 years; got ${show(text)}.`)
  return ms
}

/** Milliseconds to ISO 8601: 90,000 is "PT1M30S", a day "P1D", nothing "PT0S". */
export function durationText(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) throw new Error(`A duration is a number of milliseconds from 0; got ${ms}.`)
  return isoDuration(Math.round(ms))
}

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/
const DECIMAL_DIGITS_MAX = 60

/** A decimal number's text, plain and exact: "1e3" is "1000", "007.50" is "7.50". Digits after the point are kept. */
export function readDecimal(text: string): string {
  const match = DECIMAL.exec(text.trim())
  const [sign = '', whole = '', fraction = ''] = match?.slice(1) ?? []
  if (!match || (!whole && !fraction))
    throw new Error(`Decimal must be a decimal number, like "19.99"; got ${show(text)}.`)
  const exponent = Number(match[4] ?? 0)
  if (whole.length + fraction.length + Math.abs(exponent) > DECIMAL_DIGITS_MAX) {
    throw new Error(`Decimal must not have more than ${DECIMAL_DIGITS_MAX} digits; got ${show(text)}.`)
  }
  const digits = whole + fraction
  const point = whole.length + exponent
  const left = (point > 0 ? digits.slice(0, point).padEnd(point, '0') : '').replace(/^0+(?=\d)/, '') || '0'
  const right = point >= 0 ? digits.slice(point) : '0'.repeat(-point) + digits
  const plain = right ? `${left}.${right}` : left
  return sign === '-' && /[1-9]/.test(plain) ? `-${plain}` : plain
}
