-- Events by hour, one row a dimension and key.
select cagg.create_continuous_aggregate('metrics.events_1h', $definition$
select
  cagg.time_bucket('1 hour', bucket) as bucket,
  dimension,
  key,
  sum(events) as events,
  sum(page_views) as page_views,
  sum(cart_adds) as cart_adds,
  sum(purchases) as purchases,
  sum(purchase_amount) as purchase_amount,
  sum(signups) as signups,
  sum(errors) as errors
from metrics.events_1m
group by 1, 2, 3
$definition$, '{"replace": true}');
