// The tables themselves in the shape of the views: one row a row, with the columns of the aggregates. They answer the
// combinations of dimensions that no aggregate holds; sql/views says the same of all rows, and a test holds the two together.

const EVENT_KEYS = `
    created_at as bucket,
    coalesce(country, 'unknown') as country,
    coalesce(traffic_source, 'unknown') as traffic_source,
    coalesce(browser, 'unknown') as browser,
    event_type`

/** Events with their measures. */
export const RAW_EVENTS = `
  select ${EVENT_KEYS},
    1 as events,
    (event_type in ('page_view', 'home', 'department', 'category', 'brand', 'product', 'cart'))::int as page_views,
    (event_type = 'cart')::int as cart_adds,
    (event_type = 'purchase')::int as purchases,
    case when event_type = 'purchase' then coalesce(amount, 0) else 0 end as purchase_amount,
    (event_type = 'signup')::int as signups,
    (event_type = 'error')::int as errors
  from public.events`

/** Events with the session they belong to, to be counted; those of nobody are left out. */
export const RAW_SESSIONS = `
  select ${EVENT_KEYS},
    coalesce(session_id, user_id) as session_sketch,
    case when event_type = 'purchase' then coalesce(session_id, user_id) end as buyer_sketch
  from public.events
  where coalesce(session_id, user_id) is not null`

/** Order items with their buyer's and their product's dimensions. */
export const RAW_ORDER_ITEMS = `
  select
    item.created_at as bucket,
    buyer.country,
    buyer.traffic_source,
    buyer.gender::text as gender,
    case
      when buyer.age < 18 then '12-17' when buyer.age < 25 then '18-24' when buyer.age < 35 then '25-34'
      when buyer.age < 45 then '35-44' when buyer.age < 55 then '45-54' when buyer.age < 65 then '55-64' else '65+'
    end as age_band,
    piece.product_category as category,
    piece.product_department as department,
    coalesce(piece.product_brand, 'unknown') as brand,
    item.status::text as status,
    1 as order_items,
    item.sale_price as revenue,
    case when item.status in ('CANCELLED', 'RETURNED') then 0 else item.sale_price end as net_revenue,
    case when item.status in ('CANCELLED', 'RETURNED') then 0 else item.sale_price - piece.cost end as profit,
    (item.status = 'RETURNED')::int as returned,
    (item.status = 'CANCELLED')::int as cancelled
  from public.order_items as item
  join public.users as buyer on buyer.id = item.user_id
  join public.inventory_items as piece on piece.id = item.inventory_item_id`
