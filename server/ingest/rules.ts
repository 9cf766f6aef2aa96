// The rules a single value is held to. A check answers the value as it will be stored, or why not.
import type { RejectionCode } from '../writer/call.ts'
import { HOUR_AND_MINUTE, MONTH_AND_DAY, readDecimal, readRfc3339 } from '../schema/values.ts'

/** Why a value was not taken. The message goes on from the field's name: "must not be empty". */
export class Refusal {
  readonly code: RejectionCode
  readonly message: string
  readonly path: string[]

  constructor(code: RejectionCode, message: string, path: string[] = []) {
    this.code = code
    this.message = message
    this.path = path
  }
}

export type Check<T> = (value: unknown) => T | Refusal

export const invalid = (message: string): Refusal => new Refusal('INVALID', message)

const UNSTORABLE = /[\0\ud800-\udfff]/
/** Node 20 has it; the compiler's library for ES2023 does not know. */
const isWellFormed = (text: string): boolean => (text as string & { isWellFormed(): boolean }).isWellFormed()

/** What PostgreSQL's text cannot hold; null where it can. */
export function textFault(text: string): Refusal | null {
  if (!UNSTORABLE.test(text)) return null
  if (text.includes('\0')) return invalid('must not hold a NUL character')
  return isWellFormed(text) ? null : invalid('must not hold half of a surrogate pair')
}

/** A string of up to `charactersMax` UTF-16 units; empty only with `empty`. */
export function text(charactersMax: number, { empty = false } = {}): Check<string> {
  return (value) => {
    if (typeof value !== 'string') return invalid('must be a string')
    if (value.length > charactersMax) {
      return new Refusal('TOO_LARGE', `must not be longer than ${charactersMax} characters`)
    }
    if (value === '' && !empty) return invalid('must not be empty')
    return textFault(value) ?? value
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** A UUID in its usual form; answered in lower case, as PostgreSQL writes it. */
export const uuid: Check<string> = (value) => {
  if (typeof value !== 'string' || value.length !== 36) return invalid('must be a UUID')
  if (UUID.test(value)) return value
  const lower = value.toLowerCase()
  return UUID.test(lower) ? lower : invalid('must be a UUID')
}

const INT32_MAX = 2_147_483_647

/** A whole number from `min` to `max`. */
export function whole(min: number, max: number = INT32_MAX): Check<number> {
  return (value) =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max
      ? (value as number)
      : invalid(`must be a whole number from ${min} to ${max}`)
}

const KEY = /^\d{1,10}$/

/** The key of a product or distribution centre: a whole number from 1, as GraphQL's ID takes it. */
export const key: Check<number> = (value) => {
  const number = typeof value === 'string' && KEY.test(value) ? Number(value) : value
  return Number.isInteger(number) && (number as number) >= 1 && (number as number) <= INT32_MAX
    ? (number as number)
    : invalid(`must be a whole number from 1 to ${INT32_MAX}`)
}

/** A finite number from `min` to `max`. */
export function number(min: number, max: number): Check<number> {
  return (value) =>
    typeof value === 'number' && value >= min && value <= max
      ? value
      : invalid(`must be a number from ${min} to ${max}`)
}

/** One of the names of an enum. */
export function oneOf<Name extends string>(...names: Name[]): Check<Name> {
  return (value) => (names.includes(value as Name) ? (value as Name) : invalid(`must be one of ${names.join(', ')}`))
}

/** Decimals of money in the database. More are refused, not rounded: what is acknowledged is what was sent. */
const MONEY_DECIMALS = 2

/** Exact money of up to `wholeDigits` digits before the point and 2 after; answered as decimal text. */
export function money(wholeDigits: number, { negative = false } = {}): Check<string> {
  const plain = new RegExp(
    `^${negative ? '-?' : ''}(?:0|[1-9]\\d{0,${wholeDigits - 1}})(?:\\.\\d{1,${MONEY_DECIMALS}})?$`,
  )
  const limit = `1${'0'.repeat(wholeDigits)}`
  return (value) => {
    if (typeof value !== 'string' && typeof value !== 'number') return invalid('must be a decimal number')
    let decimal = String(value)
    if (plain.test(decimal)) return decimal
    try {
      decimal = readDecimal(decimal)
    } catch {
      return invalid('must be a decimal number')
    }
    // Zeros at the end say nothing: "19.9900" is 19.99.
    decimal = decimal.replace(/(\.\d\d)0+$/, '$1')
    if (plain.test(decimal)) return decimal
    if (decimal.startsWith('-') && !negative) return invalid('must not be negative')
    if (/\.\d{3}/.test(decimal)) return invalid(`must not have more than ${MONEY_DECIMALS} decimals`)
    return invalid(`must be less than ${limit}`)
  }
}

const JSON_DEPTH_MAX = 32

function jsonFault(value: unknown, depth: number): Refusal | null {
  if (typeof value === 'string') return textFault(value)
  if (typeof value === 'number') return Number.isFinite(value) ? null : invalid('must not hold a number beyond range')
  if (typeof value !== 'object' || value === null) return null
  if (depth === JSON_DEPTH_MAX) {
    return new Refusal('TOO_LARGE', `must not be nested deeper than ${JSON_DEPTH_MAX} levels`)
  }
  if (Array.isArray(value)) {
    for (const item of value) {
      const fault = jsonFault(item, depth + 1)
      if (fault) return fault
    }
    return null
  }
  for (const [name, item] of Object.entries(value)) {
    const fault = textFault(name) ?? jsonFault(item, depth + 1)
    if (fault) return fault
  }
  return null
}

/** Any JSON value whose text is up to `charactersMax` long; answered as that text. */
export function json(charactersMax: number): Check<string> {
  return (value) => {
    const fault = jsonFault(value, 0)
    if (fault) return fault
    const text = JSON.stringify(value)
    return text.length > charactersMax
      ? new Refusal('TOO_LARGE', `must not be longer than ${charactersMax} characters as JSON`)
      : text
  }
}

const CANONICAL_MOMENT = new RegExp(`^[12]\\d{3}-${MONTH_AND_DAY}T${HOUR_AND_MINUTE}:[0-5]\\d\\.\\d{3}Z$`)
/** Years before this are a mistake in the sender's clock or arithmetic. */
const OLDEST_YEAR = 1970

/** What the times of a call's rows are held against, in milliseconds. */
export interface Now {
  nowMs: number
  nowText: string
  /** Beyond this: FUTURE_TIMESTAMP. */
  futureMs: number
  /** Before this, in tables whose raw rows are dropped by day: TOO_OLD. */
  oldestMs: number
}

/** Of canonical text, whose digits stand where they always do: several times faster than Date.parse. */
function canonicalMs(text: string): number {
  const two = (at: number) => text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 528
  const year = two(0) * 100 + two(2)
  const milliseconds = two(20) * 10 + text.charCodeAt(22) - 48
  return Date.UTC(year, two(5) - 1, two(8), two(11), two(14), two(17), milliseconds)
}

function textMs(text: string): number {
  if (CANONICAL_MOMENT.test(text)) return canonicalMs(text)
  try {
    return readRfc3339(text).getTime()
  } catch {
    return Number.NaN
  }
}

/** A moment in milliseconds, from a Date (the typed form) or RFC 3339 text (the batch). */
export function momentMs(value: unknown, { futureMs }: Now, oldestMs?: number): number | Refusal {
  const ms = value instanceof Date ? value.getTime() : typeof value === 'string' ? textMs(value) : Number.NaN
  if (Number.isNaN(ms)) return invalid('must be an RFC 3339 moment with its offset')
  if (ms > futureMs)
    return new Refusal('FUTURE_TIMESTAMP', "must not be more than 5 minutes ahead of the server's clock")
  if (oldestMs !== undefined && ms < oldestMs) {
    return new Refusal('TOO_OLD', `must not be before ${new Date(oldestMs).toISOString()}, the oldest day that is kept`)
  }
  return ms < Date.UTC(OLDEST_YEAR, 0) ? invalid(`must not be before ${OLDEST_YEAR}`) : ms
}

/** The text PostgreSQL gets. Canonical text is passed on as it came: writing a date costs more than all else here. */
export const momentText = (value: unknown, ms: number): string =>
  typeof value === 'string' && CANONICAL_MOMENT.test(value) ? value : new Date(ms).toISOString()
