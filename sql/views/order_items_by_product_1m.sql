-- Order items by minute of creation, kept 30 days, by product and status.
select cagg.create_continuous_aggregate('metrics.order_items_by_product_1m', $definition$
select
  cagg.time_bucket('1 minute', bucket) as bucket,
  category,
  department,
  brand,
  status,
  sum(order_items) as order_items,
  sum(revenue) as revenue,
  sum(net_revenue) as net_revenue,
  sum(profit) as profit,
  sum(returned) as returned,
  sum(cancelled) as cancelled
from metrics.order_items_by_product_1s
group by 1, 2, 3, 4, 5
$definition$, '{"retention": "30 days", "replace": true}');
