// Tables that a fold is held against: like public.events, without its triggers.
import type pg from 'pg'

/** Makes a table with the columns, key and day partitions of public.events. */
export async function makeTwin(client: pg.Client, name: string): Promise<void> {
  await client.query(`create table ${name} (like public.events including all) partition by range (created_at)`)
  await client.query(`select cagg.ensure_partitions($1, now() - interval '1 day', now() + interval '1 day')`, [name])
}
