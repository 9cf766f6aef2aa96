-- Order items by hour of creation, by buyer and status.
select cagg.create_continuous_aggregate('metrics.order_items_1h', $definition$
select
  cagg.time_bucket('1 hour', bucket) as bucket,
  country,
  traffic_source,
  gender,
  age_band,
  status,
  sum(order_items) as order_items,
  sum(revenue) as revenue,
  sum(net_revenue) as net_revenue,
  sum(profit) as profit,
  sum(returned) as returned,
  sum(cancelled) as cancelled
from metrics.order_items_1m
group by 1, 2, 3, 4, 5, 6
$definition$, '{"replace": true}');
