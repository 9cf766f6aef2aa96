// Events, from either form: the typed rows of trackEvents and the plain JSON of ingestEvents are held to these same rules.
import { JsonRows } from '../json/rows.ts'
import { makeLineBuffer } from '../writer/lineBuffer.ts'
import { EVENT_COLUMNS, type KeyedLine } from '../writer/tables/events.ts'
import { checkEach, type CheckContext, type Checked, ROW_OVERHEAD_BYTES } from './checked.ts'
import { type Field, type Line, makeLineCheck, optional, optionalJson, optionalText, requiredText } from './line.ts'
import type { InputRow, Rows } from './row.ts'
import { makeShapes } from './shapes.ts'
import { money, Refusal, uuid, whole } from './rules.ts'

type EventColumn = (typeof EVENT_COLUMNS)[number]

const DAY_MS = 86_400_000

const UUID_AS_SENT = '"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"'
const WHOLE_AS_SENT = '(\\d{1,9})'
const MONEY_AS_SENT = '"?(-?(?:0|[1-9]\\d{0,9})(?:\\.\\d{1,2})?)"?'

/** GraphQL's ID takes whole numbers too, as text; none of them is a UUID. */
const FIELDS: Record<Exclude<EventColumn, 'id' | 'created_at'>, Field> = {
  event_type: requiredText('type', 64),
  user_id: optional('userId', uuid, UUID_AS_SENT),
  session_id: optional('sessionId', uuid, UUID_AS_SENT),
  sequence_number: optional('sequenceNumber', whole(0), WHOLE_AS_SENT),
  country: optionalText('country', 100),
  state: optionalText('state', 100),
  city: optionalText('city', 100),
  postal_code: optionalText('postalCode', 32),
  ip_address: optionalText('ipAddress', 45),
  browser: optionalText('browser', 100),
  traffic_source: optionalText('trafficSource', 100),
  uri: optionalText('uri', 2_048),
  amount: optional('amount', money(10, { negative: true }), MONEY_AS_SENT),
  properties: optionalJson('properties', 16_384),
}

/** As EventInput has them. */
export const EVENT_FIELD_NAMES: ReadonlySet<string> = new Set([
  'id',
  'timestamp',
  ...Object.values(FIELDS).map(({ name }) => name),
])

/** Makes the check of a call's events. */
export function makeEventCheck(): (rows: Rows, context: CheckContext) => Checked<'events'> {
  const rules = { columns: EVENT_COLUMNS, fields: FIELDS, timeName: 'timestamp', idName: 'id', keptDaysOnly: true }
  const checkLine = makeLineCheck(rules)
  const shapes = makeShapes(rules)

  return (inputs, context) => {
    const lines = makeLineBuffer(inputs.length)
    const keyed: KeyedLine[] = []
    const days = new Set<number>()
    let lastDay = Number.NaN
    let learned = false

    function write(index: number): Line | Refusal {
      if (!(inputs instanceof JsonRows)) return writeChecked(inputs[index]!)
      const line = shapes.read(inputs, index, context)
      if (line) {
        lines.add(line.text, 'latin1')
        return line
      }
      const row = inputs.row(index)
      // One a call: rows of a call are nearly always of one shape.
      if (!learned) shapes.learn(row)
      learned = true
      return writeChecked(row)
    }

    function writeChecked(row: InputRow): Line | Refusal {
      const line = checkLine(row, context)
      if (!(line instanceof Refusal)) lines.add(line.text, 'utf8')
      return line
    }

    const rejected = checkEach(inputs.keys(), (index) => {
      const start = lines.size()
      const line = write(index)
      if (line instanceof Refusal) return line
      const { givenId, createdAt, createdAtMs } = line
      if (givenId !== null) keyed.push({ id: givenId, createdAt, start, end: lines.size() })
      const day = Math.floor(createdAtMs / DAY_MS)
      if (day !== lastDay) days.add((lastDay = day))
    })
    const lineCount = inputs.length - rejected.length
    return {
      table: 'events',
      rows: { text: lines.bytes(), lineCount, keyed },
      rowCount: lineCount,
      bytes: lines.size() + ROW_OVERHEAD_BYTES * keyed.length,
      rejected,
      partitions: { relation: 'events', days },
    }
  }
}

/** The items of a batch: an array of objects, or undefined where the batch is none. */
export function readBatch(batch: unknown): Rows | undefined {
  if (batch instanceof JsonRows) return batch
  if (!Array.isArray(batch)) return undefined
  const isObject = (item: unknown) => typeof item === 'object' && item !== null && !Array.isArray(item)
  return batch.every(isObject) ? (batch as InputRow[]) : undefined
}
