// Events, from either form: the typed rows of trackEvents and the plain JSON of ingestEvents are held to these same rules.
import { EVENT_COLUMNS, type EventRows } from '../writer/tables/events.ts'
import { checkEach, type CheckContext, type Checked, ROW_OVERHEAD_BYTES } from './checked.ts'
import {
  about,
  type Field,
  type InputRow,
  makeLineCheck,
  optional,
  optionalJson,
  optionalText,
  requiredText,
} from './row.ts'
import { momentMs, momentText, money, Refusal, uuid, whole } from './rules.ts'

type EventColumn = (typeof EVENT_COLUMNS)[number]

const DAY_MS = 86_400_000

/** GraphQL's ID takes whole numbers too, as text; none of them is a UUID. */
const FIELDS: Record<Exclude<EventColumn, 'id' | 'created_at'>, Field> = {
  event_type: requiredText('type', 64),
  user_id: optional('userId', uuid),
  session_id: optional('sessionId', uuid),
  sequence_number: optional('sequenceNumber', whole(0)),
  country: optionalText('country', 100),
  state: optionalText('state', 100),
  city: optionalText('city', 100),
  postal_code: optionalText('postalCode', 32),
  ip_address: optionalText('ipAddress', 45),
  browser: optionalText('browser', 100),
  traffic_source: optionalText('trafficSource', 100),
  uri: optionalText('uri', 2_048),
  amount: optional('amount', money(10, { negative: true })),
  properties: optionalJson('properties', 16_384),
}

const [, , ...otherColumns] = EVENT_COLUMNS

/** Makes the check of a call's events. */
export function makeEventCheck(): (rows: readonly InputRow[], context: CheckContext) => Checked<'events'> {
  const checkFields = makeLineCheck(
    otherColumns.map((column) => FIELDS[column]),
    ['id', 'timestamp'],
  )

  return (inputs, { now, newId }) => {
    const rows: EventRows = { lines: [], keyed: [] }
    const days = new Set<number>()
    let bytes = 0
    let lastDay = Number.NaN

    const checkRow = (row: InputRow): Refusal | undefined => {
      const fields = checkFields(row)
      if (fields instanceof Refusal) return fields
      const given = row.timestamp ?? null
      const ms = given === null ? now.nowMs : momentMs(given, now, now.oldestMs)
      if (ms instanceof Refusal) return about('timestamp', ms)
      const id = row.id === undefined || row.id === null ? null : uuid(row.id)
      if (id instanceof Refusal) return about('id', id)
      const createdAt = given === null ? now.nowText : momentText(given, ms)
      const line = `${id ?? newId()}\t${createdAt}${fields}\n`
      if (id !== null) rows.keyed.push({ line: rows.lines.length, id, createdAt })
      rows.lines.push(line)
      bytes += line.length + ROW_OVERHEAD_BYTES
      const day = Math.floor(ms / DAY_MS)
      if (day !== lastDay) days.add((lastDay = day))
    }

    const rejected = checkEach(inputs, checkRow)
    return {
      table: 'events',
      rows,
      rowCount: rows.lines.length,
      bytes,
      rejected,
      partitions: { relation: 'events', days },
    }
  }
}

/** The items of a batch: an array of objects, or undefined where the batch is none. */
export function readBatch(batch: unknown): InputRow[] | undefined {
  if (!Array.isArray(batch)) return undefined
  const isObject = (item: unknown) => typeof item === 'object' && item !== null && !Array.isArray(item)
  return batch.every(isObject) ? (batch as InputRow[]) : undefined
}
