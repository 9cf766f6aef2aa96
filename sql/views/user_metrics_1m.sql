-- Page views and seconds spent by minute, kept 30 days, of all users together.
select cagg.create_continuous_aggregate('metrics.user_metrics_1m', $definition$
select
  cagg.time_bucket('1 minute', bucket) as bucket,
  sum(page_views) as page_views,
  sum(duration) as duration
from metrics.user_metrics_1s
group by 1
$definition$, '{"retention": "30 days", "replace": true}');
