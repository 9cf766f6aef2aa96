-- cagg.first(value, time) and cagg.last(value, time): the value of the earliest and of the latest row.
-- The state is text[]: the time written so that its text sorts as it does, and the value as text. Being the first is then being
-- the least, of rows, of slots and of finer buckets alike; of rows of one time it is always the same one.

-- In hexadecimal the number that PostgreSQL keeps a time as; what is before its zero is below it by the sign.
create or replace function cagg._sortable(p_time timestamptz) returns text
language sql immutable parallel safe
return case when p_time < '2000-01-01 00:00+00'::timestamptz then '-' else '0' end || encode(timestamptz_send(p_time), 'hex');

create or replace function cagg._sortable(p_time timestamp) returns text
language sql immutable parallel safe
return case when p_time < '2000-01-01'::timestamp then '-' else '0' end || encode(timestamp_send(p_time), 'hex');

create or replace function cagg._sortable(p_time date) returns text
language sql immutable parallel safe
return case when p_time < '2000-01-01'::date then '-' else '0' end || encode(date_send(p_time), 'hex');

create or replace function cagg._sortable(p_time bigint) returns text
language sql immutable parallel safe
return case when p_time < 0 then '-' else '0' end || encode(int8send(p_time), 'hex');

create or replace function cagg._first(p_state text[], p_value anyelement, p_time anycompatible) returns text[]
language plpgsql immutable parallel safe as $$
begin
  if p_time is null then return p_state; end if;
  return least(p_state, array[cagg._sortable(p_time), p_value::text] collate "C");
end $$;

create or replace function cagg._last(p_state text[], p_value anyelement, p_time anycompatible) returns text[]
language plpgsql immutable parallel safe as $$
begin
  if p_time is null then return p_state; end if;
  return greatest(p_state, array[cagg._sortable(p_time), p_value::text] collate "C");
end $$;

create or replace function cagg._value_of(p_state text[], p_value anyelement, p_time anycompatible) returns anyelement
language plpgsql immutable parallel safe as $$
declare
  v_value p_value%type := p_state[2];
begin
  return v_value;
end $$;

do $$
begin
  if to_regprocedure('cagg.first(anyelement, anycompatible)') is null then
    create aggregate cagg.first (value anyelement, "time" anycompatible) (
      sfunc = cagg._first, stype = text[], finalfunc = cagg._value_of, finalfunc_extra, parallel = safe
    );
    create aggregate cagg.last (value anyelement, "time" anycompatible) (
      sfunc = cagg._last, stype = text[], finalfunc = cagg._value_of, finalfunc_extra, parallel = safe
    );
  end if;
end $$;
