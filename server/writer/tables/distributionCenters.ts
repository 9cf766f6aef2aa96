// Distribution centres: written or overwritten by id.
import type pg from 'pg'
import type { Part } from '../call.ts'

/** Named as the columns are: rows go to PostgreSQL as JSON. */
export interface DistributionCenterRow {
  id: number
  name: string
  latitude: number
  longitude: number
}

// Sorted by id, so that two transactions over the same rows wait for each other instead of dead-locking.
const UPSERT = `
  insert into public.distribution_centers (id, name, latitude, longitude)
  select id, name, latitude, longitude
  from json_to_recordset($1::json) as given (id int, name text, latitude float8, longitude float8)
  order by id
  on conflict (id) do update set name = excluded.name, latitude = excluded.latitude, longitude = excluded.longitude`

export async function writeDistributionCenters(
  client: pg.ClientBase,
  parts: readonly Part<DistributionCenterRow[]>[],
): Promise<void> {
  // One statement may not meet an id twice: the last content given stays.
  const newest = new Map<number, DistributionCenterRow>()
  for (const { rows, result } of parts) {
    for (const row of rows) newest.set(row.id, row)
    result.accepted = rows.length
  }
  if (newest.size > 0) await client.query(UPSERT, [JSON.stringify([...newest.values()])])
}
