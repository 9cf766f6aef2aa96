-- Distinct sessions by day (UTC), and those with a purchase, one row a dimension and key.
select cagg.create_continuous_aggregate('metrics.sessions_1d', $definition$
select
  cagg.time_bucket('1 day', bucket) as bucket,
  dimension,
  key,
  cagg.rollup(session_sketch) as session_sketch,
  cagg.rollup(buyer_sketch) as buyer_sketch
from metrics.sessions_1h
group by 1, 2, 3
$definition$, '{"replace": true}');
