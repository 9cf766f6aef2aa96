-- Order items by minute of creation, kept 30 days, by buyer and status.
select cagg.create_continuous_aggregate('metrics.order_items_1m', $definition$
select
  cagg.time_bucket('1 minute', bucket) as bucket,
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
from metrics.order_items_1s
group by 1, 2, 3, 4, 5, 6
$definition$, '{"retention": "30 days", "replace": true}');
