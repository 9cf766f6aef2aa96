-- Order items by second of creation, kept 24 hours, by buyer and status.
-- Cost comes from the inventory item, a copy taken when it was sold: a changed catalogue changes no past profit.
select cagg.create_continuous_aggregate('metrics.order_items_1s', $definition$
select
  cagg.time_bucket('1 second', i.created_at) as bucket,
  u.country,
  u.traffic_source,
  u.gender::text as gender,
  case
    when u.age < 18 then '12-17' when u.age < 25 then '18-24' when u.age < 35 then '25-34' when u.age < 45 then '35-44'
    when u.age < 55 then '45-54' when u.age < 65 then '55-64' else '65+' end as age_band,
  i.status::text as status,
  count(*) as order_items,
  sum(i.sale_price) as revenue,
  sum(i.sale_price) filter (where i.status not in ('CANCELLED', 'RETURNED')) as net_revenue,
  sum(i.sale_price - s.cost) filter (where i.status not in ('CANCELLED', 'RETURNED')) as profit,
  count(*) filter (where i.status = 'RETURNED') as returned,
  count(*) filter (where i.status = 'CANCELLED') as cancelled
from public.order_items as i
join public.users as u on u.id = i.user_id
join public.inventory_items as s on s.id = i.inventory_item_id
group by 1, 2, 3, 4, 5, 6
$definition$, '{"retention": "24 hours", "replace": true}');
