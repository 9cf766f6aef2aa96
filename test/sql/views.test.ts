// The shop's views: each equals its definition over a shop that lives, and says what metrics.md says.
import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Database } from '../../server/db/database.ts'
import { makeTestDatabase } from '../support/database.ts'

let database: Database
const sql = async <Row extends object = Record<string, unknown>>(text: string) =>
  (await database.pool.query<Row>(text)).rows

async function expectExact() {
  const drifts = await sql(`select view_name, cagg.drift(view_name)::int as drift from cagg.continuous_aggregates`)
  expect(drifts.filter(({ drift }) => drift !== 0)).toEqual([])
}

beforeAll(async () => {
  database = await makeTestDatabase()
  await sql(`
    select cagg.ensure_partitions('events', now() - interval '2 days', now()), cagg.ensure_partitions('order_items', now() - interval '2 days', now());
    insert into distribution_centers values (1, 'Chicago IL', 41.8, -87.6);
    insert into products select i, i, 'Category ' || i % 3, 'Product ' || i, nullif('Brand ' || i % 5, 'Brand 0'), i * 2.5, (array['Men', 'Women'])[1 + i % 2], 'SKU', 1
      from generate_series(1, 20) as i;
    insert into users (id, first_name, last_name, email, age, gender, country, traffic_source, created_at)
      select gen_random_uuid(), 'A', 'B', 'a@example.com', 12 + i, (array['M', 'F'])[1 + i % 2]::"Gender", (array['China', 'Brasil', 'Japan'])[1 + i % 3], 'Search', now()
      from generate_series(0, 58) as i;`)
})
afterAll(() => database?.close())

/** Orders with items, events, user metrics and messages of the last two days. */
const live = `
  with placed as (
    insert into orders (order_id, user_id, status, gender, created_at, num_of_item)
    select gen_random_uuid(), id, 'PROCESSING', gender, now() - random() * interval '2 days', 2 from users returning *
  ), stock as (
    insert into inventory_items
    select gen_random_uuid(), p.id, o.created_at, o.created_at, p.cost, p.category, p.name, p.brand, p.retail_price, p.department, p.sku, 1
    from placed as o cross join lateral (select * from products where o.order_id is not null order by random() limit 2) as p returning *
  )
  insert into order_items (id, order_id, user_id, product_id, inventory_item_id, status, created_at, sale_price)
  select gen_random_uuid(), o.order_id, o.user_id, s.product_id, s.id, 'PROCESSING', o.created_at, s.product_retail_price
  from stock as s join placed as o on o.created_at = s.created_at;
  insert into events (id, session_id, user_id, created_at, browser, traffic_source, event_type, country, amount)
    select gen_random_uuid(), case when i % 9 > 0 then md5((i / 4)::text)::uuid end, case when i % 5 = 0 then md5(i::text)::uuid end,
      now() - random() * interval '2 days', (array['Chrome', 'Safari', null])[1 + i % 3], (array['Email', 'Search'])[1 + i % 2],
      (array['home', 'product', 'cart', 'purchase', 'error', 'signup'])[1 + i % 6], (array['China', 'Japan', null])[1 + i % 3], case when i % 6 = 3 then 19.99 end
    from generate_series(1, 600) as i;
  insert into user_metrics select gen_random_uuid(), id, age % 7, age, now() - random() * interval '2 days' from users;
  insert into messages select gen_random_uuid(), (array['SUCCESS', 'WARNING', 'DANGER'])[1 + i % 3]::"Severity", 'Title', null, null, null, now()
    from generate_series(1, 20) as i;`

it('has one view a file, and one file a view', async () => {
  const files = readdirSync('sql/views').map((file) => `metrics.${file.replace(/\.sql$/, '')}`)
  const views = await sql<{ view_name: string }>('select view_name from cagg.continuous_aggregates')
  expect(views.map(({ view_name }) => view_name).sort()).toEqual(files.sort())
})

it('is exact on every view through a shop’s life: arrivals, status changes, removals', async () => {
  for (let turn = 0; turn < 3; turn++) {
    await sql(live)
    await expectExact()
    await sql(`update order_items set status = 'SHIPPED', shipped_at = now() where random() < 0.5;
      update orders set status = 'SHIPPED' where random() < 0.5;
      update order_items set status = (array['COMPLETE', 'RETURNED', 'CANCELLED'])[1 + floor(random() * 3)::int]::"OrderStatus" where random() < 0.3`)
    await expectExact()
    await sql(`delete from events where random() < 0.1; delete from order_items where random() < 0.1; delete from messages where random() < 0.2`)
    await expectExact()
  }
})

it('adds up alike on every level and over every dimension', async () => {
  for (const family of ['events', 'orders', 'order_items', 'order_items_by_product', 'user_metrics', 'messages'])
    for (const [fine, coarse] of [['1m', '1h'], ['1h', '1d']]) {
      const measure = { events: 'events', orders: 'orders', messages: 'messages', user_metrics: 'duration' }[family] ?? 'revenue'
      const [row] = await sql(`select (select sum(${measure})::float from metrics.${family}_${fine}) = (select sum(${measure})::float from metrics.${family}_${coarse}) as same`)
      expect({ family, ...row }).toEqual({ family, same: true })
    }
  const dimensions = await sql(`select dimension, sum(events)::int as events from metrics.events_1h group by 1`)
  expect(new Set(dimensions.map(({ events }) => events)).size).toBe(1)
  expect(dimensions.map(({ dimension }) => dimension).sort()).toEqual(['ALL', 'BROWSER', 'COUNTRY', 'EVENT_TYPE', 'TRAFFIC_SOURCE'])
})

it('counts sessions once, by user where there is no session, and leaves out events with neither', async () => {
  const [row] = await sql(`select cagg.distinct_count(cagg.rollup(session_sketch))::int as sketched, cagg.distinct_count(cagg.rollup(buyer_sketch))::int as buyers,
      (select count(distinct coalesce(session_id, user_id))::int from events) as sessions,
      (select count(distinct coalesce(session_id, user_id))::int from events where event_type = 'purchase') as purchased
    from metrics.sessions_1d where dimension = 'ALL'`)
  expect(row).toMatchObject({ sketched: row?.['sessions'], buyers: row?.['purchased'] })
})

it('takes cost and category as they were at the sale: a changed catalogue changes no past', async () => {
  const read = () => sql(`select category, sum(profit)::float as profit from metrics.order_items_by_product_1d group by 1 order by 1`)
  const before = await read()
  await sql(`update products set cost = cost + 10, category = 'Renamed', retail_price = 1`)
  expect(await read()).toEqual(before)
  await expectExact()
})

it('keeps seconds for 24 hours and minutes for 30 days', async () => {
  const kept = await sql(`select regexp_replace(view_name, '.*_', '') as level, array_agg(distinct coalesce(retention::text, 'for ever')) as kept
    from cagg.continuous_aggregates group by 1 order by 1`)
  expect(kept).toEqual([
    { level: '1d', kept: ['for ever'] },
    { level: '1h', kept: ['for ever'] },
    { level: '1m', kept: ['30 days'] },
    { level: '1s', kept: ['24:00:00'] },
  ])
})
