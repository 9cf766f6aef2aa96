// Events as COPY text, drawn like a shop's: few countries and browsers have most, a session has several events.
import { randomBytes } from 'node:crypto'

const countries = spread({
  China: 34,
  'United States': 22,
  Brasil: 15,
  'South Korea': 5,
  France: 5,
  'United Kingdom': 5,
  Germany: 4,
  Spain: 4,
  Japan: 2.5,
  Australia: 2,
  Belgium: 1,
  Poland: 0.3,
  Colombia: 0.2,
})
const browsers = spread({ Chrome: 50, Firefox: 20, Safari: 20, IE: 5, Other: 5 })
const sources = spread({ Email: 45, Adwords: 30, Facebook: 10, YouTube: 10, Organic: 5 })
const types = spread({
  product: 35,
  department: 22,
  cart: 20,
  home: 6,
  category: 5,
  brand: 5,
  purchase: 5,
  cancel: 1,
  error: 1,
})
const eventsPerSession = 4

export const EVENT_COLUMNS =
  'id,created_at,event_type,user_id,session_id,sequence_number,country,state,city,postal_code,ip_address,browser,traffic_source,uri,amount'

/** `count` rows in the order of EVENT_COLUMNS, from `startMs` on, spread evenly over `spanMs`. */
export function eventRows(count: number, startMs: number, spanMs: number): (string | null)[][] {
  const rows: (string | null)[][] = []
  let sessions: Session[] = []
  for (let i = 0; i < count; i++) {
    if (i % 64 === 0) sessions = Array.from({ length: 64 / eventsPerSession }, makeSession)
    const session = sessions[i % sessions.length]!
    const type = pick(types)
    const at = new Date(startMs + (spanMs * i) / count).toISOString()
    const place = [session.country, 'Some State', 'Some City', '12345', '203.0.113.7']
    const amount = type === 'purchase' ? '49.90' : null
    const sequence = String(++session.sequence)
    rows.push([
      uuid(),
      at,
      type,
      session.user,
      session.id,
      sequence,
      ...place,
      session.browser,
      session.source,
      `/${type}/${i % 1000}`,
      amount,
    ])
  }
  return rows
}

/** The same as COPY text. */
export function eventLines(count: number, startMs: number, spanMs: number): Buffer {
  const lines = eventRows(count, startMs, spanMs).map((row) => row.map((field) => field ?? '\\N').join('\t'))
  return Buffer.from(`${lines.join('\n')}\n`)
}

interface Session {
  id: string
  user: string
  country: string
  browser: string
  source: string
  sequence: number
}

const makeSession = (): Session => ({
  id: uuid(),
  user: uuid(),
  country: pick(countries),
  browser: pick(browsers),
  source: pick(sources),
  sequence: 0,
})

function uuid(): string {
  const hex = randomBytes(16).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`
}

/** A thousand places, shared out by weight, so that one draw picks. */
function spread(weights: Record<string, number>): string[] {
  return Object.entries(weights).flatMap(([value, weight]) =>
    Array<string>(Math.max(1, Math.round(weight * 10))).fill(value),
  )
}

const pick = (values: readonly string[]) => values[Math.floor(Math.random() * values.length)]!
