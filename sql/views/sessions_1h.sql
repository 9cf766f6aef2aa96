-- Distinct sessions by hour, and those with a purchase, one row a dimension and key.
select cagg.create_continuous_aggregate('metrics.sessions_1h', $definition$
select
  cagg.time_bucket('1 hour', bucket) as bucket,
  dimension,
  key,
  cagg.rollup(session_sketch) as session_sketch,
  cagg.rollup(buyer_sketch) as buyer_sketch
from metrics.sessions_1m
group by 1, 2, 3
$definition$, '{"replace": true}');
