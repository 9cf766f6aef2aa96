// Events as a busy shop has them, made as text: few countries and browsers have most, a session has several events, each
// event its own time. Text is joined, not serialised, so that a generator on the machine under test costs it little.
import { randomBytes } from 'node:crypto'

const COUNTRIES = spread({
  China: 340,
  'United States': 220,
  Brasil: 150,
  'South Korea': 55,
  France: 50,
  'United Kingdom': 45,
  Germany: 40,
  Spain: 40,
  Japan: 25,
  Australia: 20,
  Belgium: 10,
  Poland: 3,
  Colombia: 2,
})
const BROWSERS = spread({ Chrome: 500, Firefox: 200, Safari: 200, IE: 50, Other: 50 })
const SOURCES = { Email: 450, Adwords: 300, Facebook: 100, YouTube: 100, Organic: 50 }
const TYPES = spread({
  product: 350,
  department: 220,
  cart: 200,
  home: 60,
  category: 50,
  brand: 50,
  purchase: 50,
  cancel: 10,
  error: 10,
})
/** As many sessions are under way at a time; each event is of any of them. */
const SESSIONS_OPEN = 256
const EVENTS_PER_SESSION = 4
const PAGES = 1_000
const AMOUNT_CENTS_MAX = 50_000

export interface Events {
  /** What the events of this generator have for a traffic source, and no others. */
  sources: string[]
  /** Events of `spanMs` from `startMs` on, as the text of a JSON array of EventInput. */
  json(count: number, startMs: number, spanMs: number): string
  /** The same kind of events as lines for COPY, in the order of COPY_COLUMNS. */
  copy(count: number, startMs: number, spanMs: number): string
}

export const COPY_COLUMNS = [
  'id',
  'created_at',
  'event_type',
  'user_id',
  'session_id',
  'sequence_number',
  'country',
  'state',
  'city',
  'postal_code',
  'ip_address',
  'browser',
  'traffic_source',
  'uri',
  'amount',
] as const

/** What all events of a session share, in both forms. */
interface Session {
  json: string
  copy: string
  left: number
}

/** `mark` tells the events of this generator from others, by their traffic source. */
export function makeEvents(mark: string): Events {
  const marked = Object.entries(SOURCES).map(([name, weight]) => [`${name} (${mark})`, weight] as const)
  const sources = spread(Object.fromEntries(marked))
  const uuid = makeUuids()
  const open = Array.from({ length: SESSIONS_OPEN }, makeSession)
  let lastMs = 0
  let lastText = ''

  function makeSession(): Session {
    const [id, user, country, browser, source] = [uuid(), uuid(), pick(COUNTRIES), pick(BROWSERS), pick(sources)]
    const json =
      `"userId":"${user}","sessionId":"${id}","country":"${country}","state":"Some State","city":"Some City",` +
      `"postalCode":"12345","ipAddress":"203.0.113.7","browser":"${browser}","trafficSource":"${source}"`
    const copy = [country, 'Some State', 'Some City', '12345', '203.0.113.7', browser, source].join('\t')
    return { json, copy: `${user}\t${id}\t%\t${copy}`, left: EVENTS_PER_SESSION }
  }

  function nextSession(): Session {
    const at = Math.floor(Math.random() * SESSIONS_OPEN)
    const session = open[at] as Session
    session.left -= 1
    if (session.left === 0) open[at] = makeSession()
    return session
  }

  function textOf(ms: number): string {
    if (ms !== lastMs) [lastMs, lastText] = [ms, new Date(ms).toISOString()]
    return lastText
  }

  function each(
    count: number,
    startMs: number,
    spanMs: number,
    line: (type: string, at: string, session: Session, uri: string, amount: string | null) => string,
  ): string[] {
    return Array.from({ length: count }, (_, index) => {
      const type = pick(TYPES)
      const at = textOf(Math.floor(startMs + (spanMs * index) / count))
      const amount = type === 'purchase' ? (Math.floor(Math.random() * AMOUNT_CENTS_MAX) / 100).toFixed(2) : null
      return line(type, at, nextSession(), `/${type}/${Math.floor(Math.random() * PAGES)}`, amount)
    })
  }

  return {
    sources: marked.map(([name]) => name),
    json(count, startMs, spanMs) {
      const rows = each(count, startMs, spanMs, (type, at, session, uri, amount) => {
        const more = amount === null ? '' : `,"amount":"${amount}"`
        const sequence = EVENTS_PER_SESSION - session.left
        return `{"type":"${type}","timestamp":"${at}",${session.json},"sequenceNumber":${sequence},"uri":"${uri}"${more}}`
      })
      return `[${rows.join(',')}]`
    },
    copy(count, startMs, spanMs) {
      const lines = each(count, startMs, spanMs, (type, at, session, uri, amount) => {
        const shared = session.copy.replace('%', String(EVENTS_PER_SESSION - session.left))
        return `${uuid()}\t${at}\t${type}\t${shared}\t${uri}\t${amount ?? '\\N'}\n`
      })
      return lines.join('')
    },
  }
}

/** UUIDs that differ by a random start and a count: no more random bits than a generator of load needs. */
function makeUuids(): () => string {
  const start = randomBytes(8).toString('hex')
  const tail = `4${start.slice(8, 11)}-8${start.slice(11, 14)}-${start.slice(2, 6)}`
  let count = 0
  return () => {
    count += 1
    const low = (count % 0x1_0000_0000).toString(16).padStart(8, '0')
    const high = Math.floor(count / 0x1_0000_0000)
      .toString(16)
      .padStart(4, '0')
    return `${start.slice(0, 8)}-${high}-${tail}${low}`
  }
}

/** Values by weight in a list, so that one draw picks. */
function spread(weights: Record<string, number>): string[] {
  return Object.entries(weights).flatMap(([value, weight]) => Array<string>(weight).fill(value))
}

const pick = (values: readonly string[]) => values[Math.floor(Math.random() * values.length)] as string
