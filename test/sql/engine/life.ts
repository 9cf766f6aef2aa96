// A short rough life of one source and its aggregates, in plain SQL, for whatever PostgreSQL and role it is held to.

/** The tables and aggregates: every kind of state, a join, a hierarchy, partitions. */
export const birth = `
  create table kinds (kind int primary key, name text);
  insert into kinds values (0, 'even'), (1, 'odd');
  create table readings (id bigint generated always as identity, ts timestamptz not null, kind int, v numeric(8, 2), who int) partition by range (ts);
  select cagg.ensure_partitions('readings', '2026-03-01', '2026-03-03');
  select cagg.create_continuous_aggregate('readings_1h', $$
    select cagg.time_bucket('1 hour', r.ts) as bucket, k.name, count(*) as n, sum(r.v) as total, avg(r.v) as average, min(r.v) as low, max(r.v) as high,
      cagg.first(r.v, r.ts) as opening, cagg.approx_percentile(0.5, r.v) as middle, cagg.distinct_sketch(r.who) as people
    from readings as r join kinds as k on k.kind = r.kind group by 1, 2 $$);
  select cagg.create_continuous_aggregate('readings_1d', $$
    select cagg.time_bucket('1 day', bucket) as bucket, sum(n) as n, sum(total) as total, avg(average) as average, max(high) as high,
      cagg.rollup(people) as people from readings_1h group by 1 $$);
  select cagg.create_continuous_aggregate('readings_people', $$
    select cagg.time_bucket('1 day', ts) as bucket, cagg.approx_count_distinct(who) as people, stddev(v) as spread from readings group by 1 $$)`

/** Rows come, change and go; maintenance is done. */
export const rows = `
  insert into readings (ts, kind, v, who) select '2026-03-01'::timestamptz + i * interval '7 minutes', i % 2, i % 97, i % 30 from generate_series(1, 500) as i;
  insert into readings (ts, kind, v, who) values ('2026-03-02 12:00+00', 1, 500, 1), ('2026-03-02 12:01+00', 0, -5, 2);
  update readings set v = v + 1, kind = 1 - kind, who = who + 1 where id % 7 = 0;
  delete from readings where id % 5 = 0 or v = 500;
  insert into readings (ts, kind, v, who) values ('2026-03-01 00:30+00', 1, 3, 7);
  select cagg.run_maintenance();
  delete from readings where id % 11 = 0`

export const refreshed = `select cagg.refresh_continuous_aggregate('readings_1h', '2026-03-01', '2026-03-02'), cagg.refresh_continuous_aggregate('readings_1d', null, null)`

export const drifts = `select view_name as view, cagg.drift(view_name)::int as drift from cagg.continuous_aggregates where raw_source like '%.readings' order by 1`

/** What `drifts` says of a life without fault, in a schema. */
export const exactIn = (schema: string) => ['readings_1d', 'readings_1h', 'readings_people'].map((name) => ({ view: `${schema}.${name}`, drift: 0 }))
