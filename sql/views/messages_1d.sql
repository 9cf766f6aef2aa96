-- Messages by day (UTC) and severity.
select cagg.create_continuous_aggregate('metrics.messages_1d', $definition$
select
  cagg.time_bucket('1 day', bucket) as bucket,
  severity,
  sum(messages) as messages
from metrics.messages_1h
group by 1, 2
$definition$, '{"replace": true}');
