-- Page views and seconds spent by day (UTC), of all users together.
select cagg.create_continuous_aggregate('metrics.user_metrics_1d', $definition$
select
  cagg.time_bucket('1 day', bucket) as bucket,
  sum(page_views) as page_views,
  sum(duration) as duration
from metrics.user_metrics_1h
group by 1
$definition$, '{"replace": true}');
