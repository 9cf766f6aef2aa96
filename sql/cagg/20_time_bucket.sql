-- cagg.time_bucket: the start of the bucket that holds a time; TimescaleDB's signatures and semantics.
-- Weeks and days start from Monday 2000-01-03, months and years from 2000-01-01. The two-argument forms are plain SQL on
-- immutable functions and not declared strict, so the planner inlines them: on a constant width only date_bin is left.

create or replace function cagg._months(p_width interval) returns integer
language sql immutable strict parallel safe
return (extract(year from p_width) * 12 + extract(month from p_width))::integer;

create or replace function cagg._month_bucket(p_width interval, p_ts timestamp, p_origin timestamp) returns timestamp
language plpgsql immutable strict parallel safe as $$
declare
  v_width integer := cagg._months(p_width);
  v_months integer;
  v_start timestamp;
begin
  if p_width <> make_interval(months => v_width) then
    raise exception 'a bucket width cannot mix months with days or time: %', p_width
      using errcode = '22023', hint = 'Use a width of whole months or years, or one of days and time.';
  end if;
  if v_width <= 0 then
    raise exception 'a bucket must be wider than nothing, got %', p_width using errcode = '22023', hint = 'Use a width such as ''1 month''.';
  end if;
  v_months := (extract(year from p_ts) - extract(year from p_origin)) * 12
    + extract(month from p_ts) - extract(month from p_origin);
  v_start := p_origin + make_interval(months => (floor(v_months::numeric / v_width) * v_width)::integer);
  if v_start > p_ts then
    v_start := p_origin + make_interval(months => ((floor(v_months::numeric / v_width) - 1) * v_width)::integer);
  end if;
  return v_start;
end $$;

create or replace function cagg.time_bucket(bucket_width interval, ts timestamp) returns timestamp
language sql immutable parallel safe
return case when cagg._months(bucket_width) = 0 then date_bin(bucket_width, ts, '2000-01-03'::timestamp)
  else cagg._month_bucket(bucket_width, ts, '2000-01-01'::timestamp) end;

create or replace function cagg.time_bucket(bucket_width interval, ts timestamp, origin timestamp) returns timestamp
language sql immutable strict parallel safe
return case when cagg._months(bucket_width) = 0 then date_bin(bucket_width, ts, origin)
  else cagg._month_bucket(bucket_width, ts, origin) end;

create or replace function cagg.time_bucket(bucket_width interval, ts timestamp, "offset" interval) returns timestamp
language sql immutable strict parallel safe
return cagg.time_bucket(bucket_width, ts - "offset") + "offset";

create or replace function cagg.time_bucket(bucket_width interval, ts timestamptz) returns timestamptz
language sql immutable parallel safe
return case when cagg._months(bucket_width) = 0 then date_bin(bucket_width, ts, '2000-01-03 00:00:00+00'::timestamptz)
  else timezone('UTC', cagg._month_bucket(bucket_width, timezone('UTC', ts), '2000-01-01'::timestamp)) end;

create or replace function cagg.time_bucket(bucket_width interval, ts timestamptz, origin timestamptz) returns timestamptz
language sql immutable strict parallel safe
return timezone('UTC', cagg.time_bucket(bucket_width, timezone('UTC', ts), timezone('UTC', origin)));

create or replace function cagg.time_bucket(bucket_width interval, ts timestamptz, "offset" interval) returns timestamptz
language sql immutable strict parallel safe
return timezone('UTC', cagg.time_bucket(bucket_width, timezone('UTC', ts), "offset"));

-- Buckets of local time: days of 23 and 25 hours where the zone's clocks change.
create or replace function cagg.time_bucket(
  bucket_width interval, ts timestamptz, timezone text, origin timestamptz default null, "offset" interval default null
) returns timestamptz
language sql immutable parallel safe
return pg_catalog.timezone(timezone, coalesce("offset", '0') + cagg.time_bucket(
  bucket_width,
  pg_catalog.timezone(timezone, ts) - coalesce("offset", '0'),
  coalesce(pg_catalog.timezone(timezone, origin),
    case when cagg._months(bucket_width) = 0 then '2000-01-03'::timestamp else '2000-01-01'::timestamp end)));

create or replace function cagg.time_bucket(bucket_width interval, ts date) returns date
language sql immutable strict parallel safe
return cagg.time_bucket(bucket_width, ts::timestamp)::date;

create or replace function cagg.time_bucket(bucket_width interval, ts date, origin date) returns date
language sql immutable strict parallel safe
return cagg.time_bucket(bucket_width, ts::timestamp, origin::timestamp)::date;

create or replace function cagg.time_bucket(bucket_width interval, ts date, "offset" interval) returns date
language sql immutable strict parallel safe
return cagg.time_bucket(bucket_width, ts::timestamp, "offset")::date;

create or replace function cagg._refuse_width(p_width bigint) returns bigint
language plpgsql immutable parallel safe as $$
begin
  raise exception 'a bucket must be wider than nothing, got %', p_width using errcode = '22023', hint = 'Use a width such as 10.';
end $$;

-- Not declared strict, as above: of a constant width nothing is left to be compared.
create or replace function cagg.time_bucket(bucket_width bigint, ts bigint, "offset" bigint default 0) returns bigint
language sql immutable parallel safe
return case when bucket_width <= 0 then cagg._refuse_width(bucket_width)
  else ts - "offset" - ((ts - "offset") % bucket_width + bucket_width) % bucket_width + "offset" end;

create or replace function cagg.time_bucket(bucket_width integer, ts integer, "offset" integer default 0) returns integer
language sql immutable parallel safe
return cagg.time_bucket(bucket_width::bigint, ts::bigint, "offset"::bigint)::integer;

create or replace function cagg.time_bucket(bucket_width smallint, ts smallint, "offset" smallint default 0::smallint)
returns smallint
language sql immutable parallel safe
return cagg.time_bucket(bucket_width::bigint, ts::bigint, "offset"::bigint)::smallint;
