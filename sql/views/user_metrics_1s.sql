-- Page views and seconds spent by second, of all users together.
select cagg.create_continuous_aggregate('metrics.user_metrics_1s', $definition$
select
  cagg.time_bucket('1 second', m.created_at) as bucket,
  sum(m.page_views) as page_views,
  sum(m.duration) as duration
from public.user_metrics as m
group by 1
$definition$, '{"retention": "24 hours", "replace": true}');
