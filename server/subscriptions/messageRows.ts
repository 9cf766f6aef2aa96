// Messages as they stream: the newest of each severity, then whatever is posted.
import type pg from 'pg'
import type { Severity } from '../db/generated/prisma/enums.ts'
import { fullXid, type Held, readAll, type RowSource, type StreamRow } from './source.ts'

/** A row of `messages`, as Prisma's model has it. */
export interface MessageRow extends StreamRow {
  severity: Severity
  title: string
  text: string | null
  payload: unknown
  channel: string | null
}

const columns = 'm.id, m.severity, m.title, m.text, m.payload, m.channel, m.created_at as "createdAt"'

const all = `
  with here as materialized (select pg_catalog.pg_current_snapshot() as snapshot)
  select here.snapshot::text as "snapshotText", row.*
  from here
  left join lateral (
    select newest.*
    from unnest($1::public."Severity"[]) as wanted (severity)
    cross join lateral (
      select ${columns}
      from public.messages m
      where m.severity = wanted.severity
      order by m.created_at desc, m.id desc
      limit $2
    ) newest
    order by newest."createdAt" desc, newest.id desc
  ) row on true`

const changed = `
  with here as materialized (select pg_catalog.pg_current_snapshot() as snapshot),
  touched as (
    select ${columns}, ${fullXid('m.xmin', 'here.snapshot')} as xid
    from here, unnest($2::timestamptz[], $3::timestamptz[]) as span (first, past)
    cross join unnest($1::public."Severity"[]) as wanted (severity)
    join public.messages m
      on m.severity = wanted.severity and m.created_at >= span.first and m.created_at < span.past
  )
  select id, severity, title, text, payload, channel, "createdAt"
  from touched
  where pg_catalog.pg_visible_in_snapshot(xid, $5::pg_snapshot)
    and not pg_catalog.pg_visible_in_snapshot(xid, $4::pg_snapshot)
  order by "createdAt" desc, id desc
  limit $6`

const newestFirst = (a: MessageRow, b: MessageRow): number =>
  b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : -1)

/** A snapshot holds the newest `perSeverityMax` of each severity. */
export function makeMessageRows(pool: pg.Pool, severities: Severity[], perSeverityMax: number): RowSource<MessageRow> {
  return {
    view: 'metrics.messages_1s',
    bucketMs: 1000,
    async all() {
      const { rows } = await pool.query<Held<MessageRow>>(all, [severities, perSeverityMax])
      return readAll(rows)
    },
    async changed(spans, since, upTo, rowsMax) {
      const first = spans.map((span) => span.first)
      const past = spans.map((span) => span.past)
      const { rows } = await pool.query<MessageRow>(changed, [severities, first, past, since, upTo, rowsMax + 1])
      return rows
    },
    // A message never leaves on its own; what a late subscriber is not shown is only forgotten here.
    trim(rows) {
      if (rows.size > severities.length * perSeverityMax) {
        const kept = new Map<Severity, number>()
        for (const row of [...rows.values()].sort(newestFirst)) {
          const place = (kept.get(row.severity) ?? 0) + 1
          kept.set(row.severity, place)
          if (place > perSeverityMax) rows.delete(row.id)
        }
      }
      return []
    },
  }
}
