-- Orders by second of creation, kept 24 hours, by buyer and status.
-- A later status change moves an order between statuses in its bucket of creation.
select cagg.create_continuous_aggregate('metrics.orders_1s', $definition$
select
  cagg.time_bucket('1 second', o.created_at) as bucket,
  u.country,
  u.traffic_source,
  u.gender::text as gender,
  case
    when u.age < 18 then '12-17' when u.age < 25 then '18-24' when u.age < 35 then '25-34' when u.age < 45 then '35-44'
    when u.age < 55 then '45-54' when u.age < 65 then '55-64' else '65+' end as age_band,
  o.status::text as status,
  count(*) as orders
from public.orders as o
join public.users as u on u.id = o.user_id
group by 1, 2, 3, 4, 5, 6
$definition$, '{"retention": "24 hours", "replace": true}');
