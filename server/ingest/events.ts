// Events, from either form: the typed rows of trackEvents and the plain JSON of ingestEvents are held to these same rules.
import { makeLineBuffer } from '../writer/lineBuffer.ts'
import { EVENT_COLUMNS, type KeyedLine } from '../writer/tables/events.ts'
import { checkEach, type CheckContext, type Checked, ROW_OVERHEAD_BYTES } from './checked.ts'
import { type Field, makeLineCheck, optional, optionalJson, optionalText, requiredText } from './line.ts'
import type { InputRow } from './row.ts'
import { money, Refusal, uuid, whole } from './rules.ts'

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

/** As EventInput has them. */
export const EVENT_FIELD_NAMES: ReadonlySet<string> = new Set([
  'id',
  'timestamp',
  ...Object.values(FIELDS).map(({ name }) => name),
])

/** Makes the check of a call's events. */
export function makeEventCheck(): (rows: readonly InputRow[], context: CheckContext) => Checked<'events'> {
  const checkLine = makeLineCheck({
    columns: EVENT_COLUMNS,
    fields: FIELDS,
    timeName: 'timestamp',
    idName: 'id',
    keptDaysOnly: true,
  })

  return (inputs, context) => {
    const lines = makeLineBuffer(inputs.length)
    const keyed: KeyedLine[] = []
    const days = new Set<number>()
    let lastDay = Number.NaN

    const rejected = checkEach(inputs, (row) => {
      const line = checkLine(row, context)
      if (line instanceof Refusal) return line
      const { givenId, createdAt, createdAtMs } = line
      const start = lines.add(line.text)
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
export function readBatch(batch: unknown): InputRow[] | undefined {
  if (!Array.isArray(batch)) return undefined
  const isObject = (item: unknown) => typeof item === 'object' && item !== null && !Array.isArray(item)
  return batch.every(isObject) ? (batch as InputRow[]) : undefined
}
