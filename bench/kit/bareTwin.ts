// The table that a fold is held against: public.events without its triggers.
import type pg from 'pg'

/** Makes bare_events: the same columns, key and day partitions as public.events. */
export async function makeBareTwin(client: pg.Client): Promise<void> {
  await client.query('create table bare_events (like public.events including all) partition by range (created_at)')
  await client.query(`select cagg.ensure_partitions('bare_events', now() - interval '1 day', now() + interval '1 day')`)
}
