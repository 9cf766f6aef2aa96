-- Page views and seconds spent by hour, of all users together.
select cagg.create_continuous_aggregate('metrics.user_metrics_1h', $definition$
select
  cagg.time_bucket('1 hour', bucket) as bucket,
  sum(page_views) as page_views,
  sum(duration) as duration
from metrics.user_metrics_1m
group by 1
$definition$, '{"replace": true}');
