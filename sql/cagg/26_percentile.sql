-- Percentiles that can be merged, and whose rows can be taken away again: how many values lie in each of a row of intervals,
-- each 2 % wider than the one before, so that an interval's middle is within 1 % of all that lies in it.
-- Method: Masson, Rim and Lee, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees" (2019).
-- A sketch is a bigint[] of entries: the interval's key in the upper 24 bits, a count in the lower 40. Counts add up and
-- subtract, so an update or a delete is one more entry with a negative count, and nothing is computed again. As it is
-- written a sketch may be a bag: entries are appended, several of one key; where it is read they are one a key, in order.

do $$
begin
  if to_regtype('cagg.percentiles') is null then
    create domain cagg.percentiles as bigint[];
    create type cagg._percentile_state as (p double precision, sketch bigint[]);
  end if;
end $$;

-- The interval a number lies in; keys are in the order of the numbers, NaN last as everywhere in PostgreSQL.
create or replace function cagg._percentile_key(p_value double precision) returns integer
language sql immutable parallel safe
return case
  when p_value = 0 then 0
  when p_value = 'NaN' then 100001
  when p_value = 'Infinity' then 100000
  when p_value = '-Infinity' then -100000
  else (sign(p_value) * (40000 + ceil(ln(abs(p_value)) / ln(1.02::double precision))))::integer end;

-- The number that stands for an interval: as far, in parts, from its lower end as from its upper one.
create or replace function cagg._percentile_value(p_key integer) returns double precision
language sql immutable parallel safe
return case p_key
  when 0 then 0
  when 100001 then 'NaN'::double precision
  when 100000 then 'Infinity'::double precision
  when -100000 then '-Infinity'::double precision
  else sign(p_key::double precision)
    * exp(greatest(least((abs(p_key) - 40000) * ln(1.02::double precision) - ln(1.01::double precision), 709.78), -744.4)) end;

-- The sketch of a list of keys.
create or replace function cagg._tally(p_keys integer[]) returns cagg.percentiles
language plpgsql immutable strict parallel safe as $$
begin
  if cardinality(p_keys) = 1 then return array[(p_keys[1]::bigint << 40) + 1]; end if;
  return (
    select array_agg((key::bigint << 40) + n order by key)
    from (select key, count(*) as n from unnest(p_keys) as key group by key) as counted);
end $$;

-- A sketch of a bag: one entry a key, in order, those that came to nothing left out.
create or replace function cagg._tally_merge(p_entries bigint[]) returns cagg.percentiles
language plpgsql immutable strict parallel safe as $$
begin
  if cardinality(p_entries) = 1 then return p_entries; end if;
  return (
    select coalesce(array_agg((key << 40) + n order by key) filter (where n <> 0), '{}')
    from (
      select key, sum(entry - (key << 40))::bigint as n
      from (select entry, (entry + 549755813888) >> 40 as key from unnest(p_entries) as entry) as entries
      group by key
    ) as counted);
end $$;

-- What a sketch counts, taken away.
create or replace function cagg._tally_negated(p_entries bigint[]) returns cagg.percentiles
language sql immutable strict parallel safe as $$
  select array_agg((((entry + 549755813888) >> 40) << 41) - entry order by n) from unnest(p_entries) with ordinality as entries (entry, n)
$$;

-- Entries appended; each time the bag has grown by 1,024 it is made a sketch again.
create or replace function cagg._tally_append(p_bag bigint[], p_entries bigint[]) returns bigint[]
language sql immutable parallel safe as $$
  select case
    when p_bag is null or p_entries is null then coalesce(p_bag, p_entries)
    when (cardinality(p_bag) + cardinality(p_entries)) >> 10 = cardinality(p_bag) >> 10 then p_bag || p_entries
    else cagg._tally_merge(p_bag || p_entries) end
$$;

-- The value below which, or at which, the part p of all values lies: what percentile_disc(p) gives, within 1 %.
create or replace function cagg.percentile(p double precision, sketch cagg.percentiles) returns double precision
language plpgsql immutable strict parallel safe as $$
begin
  if p < 0 or p > 1 or p = 'NaN' then
    raise exception 'a percentile must be from 0 to 1, got %', p using errcode = '22003', hint = 'The 95th percentile is 0.95.';
  end if;
  return (
    select cagg._percentile_value(key::integer)
    from (
      select key, sum(n) over (order by key) as upto, sum(n) over () as total
      from (
        select key, sum(entry - (key << 40)) as n
        from (select entry, (entry + 549755813888) >> 40 as key from unnest(sketch::bigint[]) as entry) as entries
        group by key
      ) as counted
    ) as ranked
    where upto >= greatest(ceil(p * total::double precision), 1)
    order by key limit 1);
end $$;

create or replace function cagg._percentile_sketch(p_values double precision[]) returns cagg.percentiles
language sql immutable strict parallel safe as $$
  select coalesce(cagg._tally(array_agg(cagg._percentile_key(value))), '{}') from unnest(p_values) as value where value is not null
$$;

create or replace function cagg._percentile_add(p_state cagg._percentile_state, p double precision, p_value double precision)
returns cagg._percentile_state
language plpgsql immutable parallel safe as $$
begin
  if p_value is null then return p_state; end if;
  p_state.p := p;
  p_state.sketch := cagg._tally_append(p_state.sketch, array[(cagg._percentile_key(p_value)::bigint << 40) + 1]);
  return p_state;
end $$;

create or replace function cagg._percentile_of(p_state cagg._percentile_state) returns double precision
language sql immutable parallel safe
return cagg.percentile((p_state).p, (p_state).sketch);

do $$
begin
  if to_regprocedure('cagg.percentile_sketch(double precision)') is null then
    -- The sketch of a column, for several percentiles of it, and for cagg.rollup. The values are kept until the end of the group,
    -- which is many times as fast as a sketch that grows row by row.
    create aggregate cagg.percentile_sketch (double precision) (
      sfunc = array_append, stype = double precision[], initcond = '{}', finalfunc = cagg._percentile_sketch, parallel = safe
    );
    create aggregate cagg.approx_percentile (p double precision, value double precision) (
      sfunc = cagg._percentile_add, stype = cagg._percentile_state, finalfunc = cagg._percentile_of, parallel = safe
    );
    create aggregate cagg.rollup (cagg.percentiles) (
      sfunc = cagg._tally_append, stype = bigint[], finalfunc = cagg._tally_merge, parallel = safe
    );
  end if;
end $$;
