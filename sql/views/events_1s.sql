-- Events by second, kept 24 hours, one row a dimension and key.
-- Each event counts once under ALL and once under each dimension: one pass feeds every breakdown. A missing value is the
-- key 'unknown'.
select cagg.create_continuous_aggregate('metrics.events_1s', $definition$
select
  cagg.time_bucket('1 second', e.created_at) as bucket,
  d.dimension,
  d.key,
  count(*) as events,
  count(*) filter (where e.event_type in ('page_view', 'home', 'department', 'category', 'brand', 'product', 'cart')) as page_views,
  count(*) filter (where e.event_type = 'cart') as cart_adds,
  count(*) filter (where e.event_type = 'purchase') as purchases,
  sum(e.amount) filter (where e.event_type = 'purchase') as purchase_amount,
  count(*) filter (where e.event_type = 'signup') as signups,
  count(*) filter (where e.event_type = 'error') as errors
from public.events as e
cross join lateral (values
  ('ALL', ''),
  ('COUNTRY', coalesce(e.country, 'unknown')),
  ('TRAFFIC_SOURCE', coalesce(e.traffic_source, 'unknown')),
  ('BROWSER', coalesce(e.browser, 'unknown')),
  ('EVENT_TYPE', e.event_type)
) as d (dimension, key)
group by 1, 2, 3
$definition$, '{"retention": "24 hours", "replace": true}');
