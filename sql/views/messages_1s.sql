-- Messages by second and severity, kept 24 hours.
select cagg.create_continuous_aggregate('metrics.messages_1s', $definition$
select
  cagg.time_bucket('1 second', m.created_at) as bucket,
  m.severity::text as severity,
  count(*) as messages
from public.messages as m
group by 1, 2
$definition$, '{"retention": "24 hours", "replace": true}');
