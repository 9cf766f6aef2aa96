-- Order items by hour of creation, by product and status.
select cagg.create_continuous_aggregate('metrics.order_items_by_product_1h', $definition$
select
  cagg.time_bucket('1 hour', bucket) as bucket,
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
from metrics.order_items_by_product_1m
group by 1, 2, 3, 4, 5
$definition$, '{"replace": true}');
