-- Orders by day (UTC) of creation, by buyer and status.
select cagg.create_continuous_aggregate('metrics.orders_1d', $definition$
select
  cagg.time_bucket('1 day', bucket) as bucket,
  country,
  traffic_source,
  gender,
  age_band,
  status,
  sum(orders) as orders
from metrics.orders_1h
group by 1, 2, 3, 4, 5, 6
$definition$, '{"replace": true}');
