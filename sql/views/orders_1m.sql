-- Orders by minute of creation, kept 30 days, by buyer and status.
select cagg.create_continuous_aggregate('metrics.orders_1m', $definition$
select
  cagg.time_bucket('1 minute', bucket) as bucket,
  country,
  traffic_source,
  gender,
  age_band,
  status,
  sum(orders) as orders
from metrics.orders_1s
group by 1, 2, 3, 4, 5, 6
$definition$, '{"retention": "30 days", "replace": true}');
