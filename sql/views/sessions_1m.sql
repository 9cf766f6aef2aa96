-- Distinct sessions by minute, kept 30 days, and those with a purchase, one row a dimension and key.
select cagg.create_continuous_aggregate('metrics.sessions_1m', $definition$
select
  cagg.time_bucket('1 minute', bucket) as bucket,
  dimension,
  key,
  cagg.rollup(session_sketch) as session_sketch,
  cagg.rollup(buyer_sketch) as buyer_sketch
from metrics.sessions_1s
group by 1, 2, 3
$definition$, '{"retention": "30 days", "replace": true}');
