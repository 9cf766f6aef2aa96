-- Messages by minute and severity, kept 30 days.
select cagg.create_continuous_aggregate('metrics.messages_1m', $definition$
select
  cagg.time_bucket('1 minute', bucket) as bucket,
  severity,
  sum(messages) as messages
from metrics.messages_1s
group by 1, 2
$definition$, '{"retention": "30 days", "replace": true}');
