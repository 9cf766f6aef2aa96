-- Distinct sessions by second, kept 24 hours, and those with a purchase, one row a dimension and key.
-- A session is its id; an event without one counts as its user, without both not at all. Read with
-- cagg.distinct_count(cagg.rollup(session_sketch)).
select cagg.create_continuous_aggregate('metrics.sessions_1s', $definition$
select
  cagg.time_bucket('1 second', e.created_at) as bucket,
  d.dimension,
  d.key,
  cagg.distinct_sketch(coalesce(e.session_id, e.user_id)) as session_sketch,
  cagg.distinct_sketch(coalesce(e.session_id, e.user_id)) filter (where e.event_type = 'purchase') as buyer_sketch
from public.events as e
cross join lateral (values
  ('ALL', ''),
  ('COUNTRY', coalesce(e.country, 'unknown')),
  ('TRAFFIC_SOURCE', coalesce(e.traffic_source, 'unknown')),
  ('BROWSER', coalesce(e.browser, 'unknown')),
  ('EVENT_TYPE', e.event_type)
) as d (dimension, key)
where coalesce(e.session_id, e.user_id) is not null
group by 1, 2, 3
$definition$, '{"retention": "24 hours", "replace": true}');
