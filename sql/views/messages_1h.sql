-- Messages by hour and severity.
select cagg.create_continuous_aggregate('metrics.messages_1h', $definition$
select
  cagg.time_bucket('1 hour', bucket) as bucket,
  severity,
  sum(messages) as messages
from metrics.messages_1m
group by 1, 2
$definition$, '{"replace": true}');
