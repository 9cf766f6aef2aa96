-- Order items by second of creation, kept 24 hours, by product and status.
-- Category, brand and department are the inventory item's copies, taken when it was sold: a changed catalogue changes no
-- past breakdown.
select cagg.create_continuous_aggregate('metrics.order_items_by_product_1s', $definition$
select
  cagg.time_bucket('1 second', i.created_at) as bucket,
  s.product_category as category,
  s.product_department as department,
  coalesce(s.product_brand, 'unknown') as brand,
  i.status::text as status,
  count(*) as order_items,
  sum(i.sale_price) as revenue,
  sum(i.sale_price) filter (where i.status not in ('CANCELLED', 'RETURNED')) as net_revenue,
  sum(i.sale_price - s.cost) filter (where i.status not in ('CANCELLED', 'RETURNED')) as profit,
  count(*) filter (where i.status = 'RETURNED') as returned,
  count(*) filter (where i.status = 'CANCELLED') as cancelled
from public.order_items as i
join public.inventory_items as s on s.id = i.inventory_item_id
group by 1, 2, 3, 4, 5
$definition$, '{"retention": "24 hours", "replace": true}');
