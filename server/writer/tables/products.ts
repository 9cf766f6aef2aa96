// Products: written or overwritten by id, where their distribution centre exists.
import type pg from 'pg'
import type { Part } from '../call.ts'
import { readCenterIds } from './references.ts'

/** Named as the columns are: rows go to PostgreSQL as JSON. */
export interface ProductRow {
  /** Its place in the call. */
  index: number
  id: number
  cost: string
  category: string
  name: string
  brand: string
  retail_price: string
  department: string
  sku: string
  distribution_center_id: number
}

// Sorted by id, so that two transactions over the same rows wait for each other instead of dead-locking.
const UPSERT = `
  insert into public.products
    (id, cost, category, name, brand, retail_price, department, sku, distribution_center_id)
  select id, cost, category, name, brand, retail_price, department, sku, distribution_center_id
  from json_to_recordset($1::json) as given
    (id int, cost numeric, category text, name text, brand text, retail_price numeric, department text, sku text,
     distribution_center_id int)
  order by id
  on conflict (id) do update set
    cost = excluded.cost, category = excluded.category, name = excluded.name, brand = excluded.brand,
    retail_price = excluded.retail_price, department = excluded.department, sku = excluded.sku,
    distribution_center_id = excluded.distribution_center_id`

export async function writeProducts(client: pg.ClientBase, parts: readonly Part<ProductRow[]>[]): Promise<void> {
  const centers = await readCenterIds(
    client,
    new Set(parts.flatMap(({ rows }) => rows.map((row) => row.distribution_center_id))),
  )
  // One statement may not meet an id twice: the last content given stays.
  const newest = new Map<number, ProductRow>()
  for (const { rows, result } of parts) {
    for (const row of rows) {
      if (centers.has(row.distribution_center_id)) {
        newest.set(row.id, row)
        result.accepted += 1
      } else {
        result.rejected.push({
          index: row.index,
          code: 'UNKNOWN_REFERENCE',
          path: ['distributionCenterId'],
          message: 'There is no distribution centre with this id.',
        })
      }
    }
  }
  if (newest.size > 0) await client.query(UPSERT, [JSON.stringify([...newest.values()])])
}
