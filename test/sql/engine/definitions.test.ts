// Definitions of every form: names, times, zones, joins, keys and levels. Each is exact through the same rough life.
import { afterEach, beforeAll, expect, it } from 'vitest'
import { connectForTest } from '../../support/database.ts'
import { useEngine } from './support.ts'

const engine = useEngine({ aggregates: false })
const source = '"Mixed Case"."Order ""Log"""'

beforeAll(() =>
  engine.sql(`
    create schema "Mixed Case";
    create table ${source} (id int generated always as identity primary key, "At" timestamptz, "local at" timestamp, day date, tick int,
      long bigint, short smallint, "Country Code" text, "select" numeric(10, 2), f float8, buyer int, "Größe" text);
    create table "Mixed Case"."Buyers" (id int primary key, "Group" text, "select" int);
    create table "Mixed Case".new_rows (id int, name text);
    insert into "Mixed Case".new_rows values (1, 'one'), (2, 'two');
    insert into "Mixed Case"."Buyers" select i, (array['x', 'y', null])[1 + i % 3], i from generate_series(1, 8) as i;
    create function public.live(p_rows int, p_seed float8) returns void language sql as $$
      select setseed(p_seed);
      insert into ${source} ("At", "local at", day, tick, long, short, "Country Code", "select", f, buyer, "Größe")
      select t, t at time zone 'UTC', (t at time zone 'UTC')::date, (random() * 200 - 100)::int, (random() * 2e12 - 1e12)::bigint, (random() * 60 - 30)::int,
        (array['de', 'us', 'with '' quote', null])[1 + floor(random() * 4)], nullif((random() * 100)::int, 3) / 7.0, random() * 10 - 5, 1 + floor(random() * 10), left(md5(i::text), 1)
      from (select i, case i % 4
          when 0 then '2026-04-04 13:00+00'::timestamptz + random() * interval '4 hours' -- clocks go back on Lord Howe, by 30 minutes
          when 1 then '2025-10-25 22:00+00'::timestamptz + random() * interval '5 hours' -- clocks go back in Berlin
          when 2 then '2026-03-29 00:00+00'::timestamptz + random() * interval '5 hours' -- clocks go forward in Berlin
          else '2023-12-30 00:00+00'::timestamptz + random() * interval '800 days' end as t
        from generate_series(1, p_rows) as i) as times
    $$;`),
)

const life = [
  'select public.live(150, 0.2)',
  `update ${source} set "At" = "At" + interval '40 minutes', "local at" = "local at" + interval '1 month', day = day + 9, tick = tick - 7, long = -long, short = 3 where id % 3 = 0`,
  `update ${source} set "Country Code" = null, "select" = "select" * 2, f = f + 1, buyer = buyer % 8 + 1 where id % 4 = 0`,
  `delete from ${source} where "select" in (select max("select") from ${source} group by date_trunc('hour', "At")) and id % 2 = 0`,
  `delete from ${source} where id % 5 = 0`,
  `update ${source} set "At" = null, "local at" = null, day = null, tick = null, long = null, short = null where id % 11 = 0`,
]

const measures = `count(*) as n, sum("select") as total, avg(f) as mean, max("select") as high, min(f) as low, cagg.approx_count_distinct(buyer) as buyers`
const again = `sum(n) as n, sum(total) as total, avg(mean) as mean, max(high) as high, min(low) as low, cagg.approx_count_distinct(buyers) as buyers`
const by = (bucket: string) => `select ${bucket} as bucket, ${measures} from ${source} group by 1`
const over = (bucket: string, level: number) => `select ${bucket} as bucket, ${again} from "Mixed Case"."View ${level}" group by 1`

it.each<[string, ...string[]]>([
  ['integers', by('cagg.time_bucket(5, tick)')],
  ['integers from an offset', by('cagg.time_bucket(60, tick, 7)')],
  ['big integers, three levels', by('cagg.time_bucket(1000000000, long)'), over('cagg.time_bucket(4000000000, bucket)', 0), over('cagg.time_bucket(100000000000, bucket)', 1)],
  ['small integers', by('cagg.time_bucket(4::smallint, short)')],
  ['days of dates, weeks and years of those', by(`cagg.time_bucket('1 day', day)`), over(`cagg.time_bucket('1 week', bucket)`, 0), over(`cagg.time_bucket('1 year', bucket)`, 0).replace('"View 0"', '"View 0"')],
  ['dates from an origin', by(`cagg.time_bucket('10 days', day, '2024-02-29'::date)`)],
  ['timestamps without a zone, by month, quarter and year', by(`cagg.time_bucket('1 month', "local at")`), over(`cagg.time_bucket('3 months', bucket)`, 0), over(`cagg.time_bucket('1 year', bucket)`, 1)],
  ['timestamps by 90 minutes from an offset', by(`cagg.time_bucket('90 minutes', "local at", '20 minutes'::interval)`)],
  ['months from an origin in the middle of one', by(`cagg.time_bucket('2 months', "At", '2020-01-15 00:00+00'::timestamptz)`)],
  ['weeks from Sunday', by(`cagg.time_bucket('1 week', "At", '-1 day'::interval)`)],
  ['years', by(`cagg.time_bucket('1 year', "At")`)],
  ['days in Kolkata', by(`cagg.time_bucket('1 day', "At", 'Asia/Kolkata')`)],
  ['hours in Kathmandu, days of those, and months', by(`cagg.time_bucket('1 hour', "At", 'Asia/Kathmandu')`), over(`cagg.time_bucket('1 day', bucket, 'Asia/Kathmandu')`, 0), over(`cagg.time_bucket('1 month', bucket, 'Asia/Kathmandu')`, 1)],
  ['half hours on Lord Howe', by(`cagg.time_bucket('30 minutes', "At", 'Australia/Lord_Howe')`), over(`cagg.time_bucket('1 day', bucket, 'Australia/Lord_Howe')`, 0)],
  ['hours on Lord Howe', by(`cagg.time_bucket('1 hour', "At", 'Australia/Lord_Howe')`)],
  ['hours in Berlin', by(`cagg.time_bucket('1 hour', "At", 'Europe/Berlin')`), over(`cagg.time_bucket('1 day', bucket, 'Europe/Berlin')`, 0)],
  ['quarters in New York from an origin and an offset', by(`cagg.time_bucket('3 months', "At", 'America/New_York', '2020-02-01 05:00+00', '1 day')`)],
  [
    'quoted names at every level',
    `select cagg.time_bucket('1 hour', "O O"."At") as "The ""Hour""", "Country Code" as "Land, or AS", "Größe", count(*) as "n, of rows", sum("O O"."select") as "from"
     from ${source} as "O O" where "O O"."Country Code" is distinct from 'with '' quote' group by 1, 2, 3`,
    `select cagg.time_bucket('1 day', "The ""Hour""") as "Day", "Land, or AS" as "where", sum("n, of rows") as "n", sum("from") as "from"
     from "Mixed Case"."View 0" where "Größe" <> 'f' group by 1, 2`,
    `select cagg.time_bucket('1 month', v."Day") as "Month", v."where", sum(v.n) / 2 as half, sum(v."from") + sum(v.n) as both from "Mixed Case"."View 1" as v group by 1, 2`,
  ],
  [
    'joins, conditions and expressions in the group keys',
    `select cagg.time_bucket('1 day', s."At") as day, b."Group", coalesce(s."Country Code", 'none') || '/' || coalesce(b."Group", '-') as place,
       case when s.f > 0 then 'up' when s.f < 0 then 'down' end as direction, s.tick % 2 = 0 as even, n.name,
       count(b.id) as known, sum(s."select") filter (where b."select" > 3 and s.f > 0) as part, max(s."select" - coalesce(b."select", 0)) as spread
     from ${source} as s left join "Mixed Case"."Buyers" as b on b.id = s.buyer and b.id <> 2
     left join "Mixed Case".new_rows as n on n.id = s.short where s.f between -4 and 4 or s."Country Code" in ('de', 'us') group by 1, 2, 3, 4, 5, 6`,
    `select cagg.time_bucket('1 month', day) as month, upper(place) as place, even and direction is not null as key, sum(known) as known, sum(part) as part, max(spread) as spread
     from "Mixed Case"."View 0" where direction = 'up' or even group by 1, 2, 3`,
  ],
  [
    'a comma join and a having clause over several aggregates',
    `select cagg.time_bucket('1 month', s."At") as month, b."Group", count(*) as n, max(s.f) - min(s.f) as spread, round(avg(s."select"), 2) as mean
     from ${source} as s, "Mixed Case"."Buyers" as b where b.id = s.buyer group by 1, 2 having count(*) > 5 and max(s.f) > 1 and sum(s."select") is not null`,
  ],
  [
    'expressions over aggregates, one argument with two filters',
    `select cagg.time_bucket('1 week', "At") as week, sum("select") / nullif(count(*), 0) as per_row, count(*) filter (where f > 0) * 100.0 / count(*) as share,
       coalesce(max("select") filter (where f > 0), 0) - coalesce(max("select") filter (where f <= 0), 0) as difference, bool_or(f > 4.9) or bool_and(f < 0) as odd,
       cagg.last("select", "At") - cagg.first("select", "At") as change, cagg.approx_percentile(0.9, "select") / nullif(cagg.approx_percentile(0.5, "select"), 0) as tail, stddev(f) as deviation
     from ${source} group by 1`,
  ],
])('keeps %s', async (_title, ...definitions) => {
  await engine.sql(`truncate ${source}; select public.live(250, 0.1)`)
  for (const [level, definition] of definitions.entries())
    await engine.sql('select cagg.create_continuous_aggregate($1, $2)', [`"Mixed Case"."View ${level}"`, definition])
  await engine.expectExact()
  for (const statement of life) {
    await engine.sql(statement)
    await engine.expectExact()
  }
})

it('means the same to a reader in another time zone, with other settings', async () => {
  await engine.sql('select cagg.create_continuous_aggregate($1, $2)', [
    '"Mixed Case"."View 0"',
    `select cagg.time_bucket('1 hour', "At") as bucket, to_char("At", 'DD HH24') as hour, "At"::date as day, count(*) as n, cagg.approx_count_distinct("At") as times,
       sum(f) as sum, cagg.first("At", "At") as first from ${source} where "At"::time > '02:00' group by 1, 2, 3`,
  ])
  const reader = await connectForTest(engine.database)
  await reader.query(`set timezone = 'Asia/Tokyo'; set datestyle = 'SQL, DMY'; set intervalstyle = 'sql_standard'`)
  for (let turn = 0; turn < 4; turn++) await reader.query('select public.live(2, 0.3)')
  const read = `select extract(epoch from bucket)::text as bucket, hour, to_char(day, 'YYYY-MM-DD') as day, n, times, sum, extract(epoch from first)::text as first from "Mixed Case"."View 0" order by 1, 2, 3`
  expect((await reader.query(read)).rows).toEqual(await engine.sql(read))
  await engine.expectExact()
})

afterEach(() =>
  engine.sql(`select cagg.drop_continuous_aggregate(view_name, true) from cagg.continuous_aggregates where view_name = '"Mixed Case"."View 0"'`),
)
