-- What an aggregate call keeps: which states, and how its value is computed from them at read.
-- A state of kind "add" is added to and subtracted from without loss: integers, intervals and numerics, never floats.

-- Numbers that cannot be subtracted again are counted apart: NaN by ones, Infinity by 10^15, -Infinity by 10^30.
create or replace function cagg._odd(p_value numeric) returns numeric
language sql immutable parallel safe
return case p_value when 'NaN' then 1 when 'Infinity' then 1e15 when '-Infinity' then 1e30 end;

-- What such a count makes of a sum; null: nothing, the sum of the others holds.
create or replace function cagg._odd_sum(p_odd numeric) returns numeric
language sql immutable parallel safe
return case
  when p_odd = 0 then null
  when p_odd % 1e15 > 0 or (p_odd >= 1e30 and p_odd % 1e30 >= 1e15) then 'NaN'::numeric
  when p_odd >= 1e30 then '-Infinity'::numeric
  else 'Infinity'::numeric end;

-- How many digits an average of numerics has depends on the most that any of its rows has after the point. Rows are counted
-- by their digits, 15 decimal places a count, so that this, too, can be subtracted; beyond 8,000 digits all count as 8,000.
create or replace function cagg._scale_count(p_value numeric) returns numeric
language sql immutable parallel safe
return ('1e' || 15 * least(scale(p_value), 8000))::numeric;

create or replace function cagg._largest_scale(p_counts numeric) returns integer
language sql immutable parallel safe
return (length(trunc(p_counts)::text) - 1) / 15;

-- A float as the number it is printed as: sums of those are exact, whatever the order.
create or replace function cagg._exact(p_value double precision) returns numeric
language sql immutable parallel safe
return p_value::text::numeric;

-- An exact number as the float nearest to it.
create or replace function cagg._float(p_value numeric, p_real boolean default false) returns double precision
language sql immutable parallel safe
return case
  when abs(p_value) >= case when p_real then 3.4028235677973366e38 else 1.797693134862315807e308 end
    then sign(p_value)::double precision * 'Infinity'::double precision
  when abs(p_value) < case when p_real then 1e-45 else 5e-324 end then 0
  else p_value::double precision end;

-- A number with 20 more digits after the point than it needs, for a division whose digits depend on nothing but its value.
create or replace function cagg._extended(p_value numeric) returns numeric
language sql immutable parallel safe
return round(p_value, scale(trim_scale(p_value)) + 20);

-- Variance and its square root from count, sum and sum of squares, to the digit as PostgreSQL computes them
-- (numeric_stddev_internal in src/backend/utils/adt/numeric.c).
create or replace function cagg._variance(p_count bigint, p_sum numeric, p_squares numeric, p_sample boolean, p_root boolean) returns numeric
language sql immutable parallel safe as $$
  select case when p_count <= p_sample::integer then null when v is null then 0
    when p_root then round(sqrt(round(v, scale(v) + 20)), scale(v)) else v end
  from (
    select case when spread > 0 then spread / (p_count::numeric * (p_count - p_sample::integer)) end as v
    from (select p_count * p_squares - p_sum * p_sum as spread) as spreads
  ) as variances
$$;

-- The states one aggregate call needs (their kinds, and what they are over raw rows), its value at read ($n: the nth state),
-- and the truth it is held against: the call itself, where it can be met to the digit; else the same value from the raw rows.
create or replace function cagg._states_of(p_function text, p_arguments text[], p_filter text, p_call text, p_types text[])
returns table (kinds text[], flats text[], read text, truth text)
language plpgsql as $$
declare
  v_x text := p_arguments[1];
  v_type text := p_types[1];
  v_is_float boolean := p_types[1] in ('real', 'double precision');
  v_number text := case when v_is_float then format('cagg._exact(%s)', v_x) else v_x end;
  v_sample integer := (p_function not like '%pop')::integer;
  v_filter text := coalesce(' FILTER (WHERE ' || p_filter || ')', '');
  v_if text := ' FILTER (WHERE ' || coalesce('(' || p_filter || ') AND ', '');
  -- numeric(p, s) holds NaN but no infinities.
  v_finite text := v_if || case
    when v_is_float or v_type = 'numeric' then format('(%s) < ''Infinity'' AND (%1$s) > ''-Infinity'')', v_x)
    when v_type like 'numeric%' then format('(%s) <> ''NaN'')', v_x) end;
  v_kept text := coalesce(v_finite, v_filter);
  v_sum text := format('sum(%s)%s', v_number, v_kept);
  v_count text := format('count(%s)%s', v_x, v_filter);
  v_square text := format('sum((%s)::numeric * (%1$s)::numeric)%s', v_number, v_kept);
  v_odd text := format('sum(cagg._odd((%s)::numeric))%s(%1$s) IN (''NaN'', ''Infinity'', ''-Infinity''))', v_x, v_if);
  v_scale text := format('sum(cagg._scale_count(%s))%s', v_x, v_finite);
  v_hashes text;
begin
  case
    when p_function = 'count' then
      kinds := '{add}'; flats := array[p_call]; read := '$1'; truth := p_call;
    when v_type = 'money' and p_function in ('sum', 'avg') then
      perform cagg._refuse(format('%s of money', p_function), 'Take it as a number: sum(x::numeric).');
    when p_function in ('sum', 'avg') then
      kinds := '{add,add}'; flats := array[v_sum, v_count];
      read := case
        when p_function = 'sum' and v_is_float then format('cagg._float($1, %s)', (v_type = 'real')::text)
        when p_function = 'sum' then '$1'
        when v_is_float then 'cagg._float(cagg._extended($1) / nullif($2, 0))'
        when v_type = 'numeric' then 'round($1, cagg._largest_scale($4)) / nullif($2, 0)'
        when v_type = 'interval' then '$1 / nullif($2, 0)'
        else '$1 / nullif($2, 0)::numeric' end;
      if v_finite is not null then
        kinds := kinds || '{add}'::text[]; flats := flats || v_odd;
        read := format('coalesce(cagg._odd_sum($3), %s)', read);
      end if;
      if p_function = 'avg' and v_type = 'numeric' then
        kinds := kinds || '{add}'::text[]; flats := flats || v_scale;
      end if;
      read := format('(case when $2 > 0 then %s end)', read);
      truth := case when not v_is_float then p_call end;
    when p_function in ('variance', 'var_samp', 'var_pop', 'stddev', 'stddev_samp', 'stddev_pop') then
      kinds := '{add,add,add}'; flats := array[v_sum, v_count, v_square];
      read := case
        when v_is_float then 'cagg._float(cagg._variance($2, cagg._extended($1), cagg._extended($3), %s, %s))'
        when v_type = 'numeric' then 'cagg._variance($2, round($1, cagg._largest_scale($5)), round($3, 2 * cagg._largest_scale($5)), %s, %s)'
        else 'cagg._variance($2, $1, $3, %s, %s)' end;
      read := format(read, (v_sample = 1)::text, (p_function like 'stddev%')::text);
      if v_finite is not null then
        kinds := kinds || '{add}'::text[]; flats := flats || v_odd;
        read := format('(case when $4 = 0 then %s when $2 > %s then ''NaN'' end)', read, v_sample);
      end if;
      if v_type = 'numeric' then
        kinds := kinds || '{add}'::text[]; flats := flats || v_scale;
      end if;
      truth := case when not v_is_float then p_call end;
    when p_function in ('bool_and', 'every', 'bool_or') then
      kinds := '{add,add}'; flats := array[format('count(*)%s(%s))', v_if, v_x), v_count];
      read := format('(case when $2 > 0 then $1 %s end)', case when p_function = 'bool_or' then '> 0' else '= $2' end);
      truth := p_call;
    when p_function in ('min', 'max') then
      kinds := array[p_function]; flats := array[p_call]; read := '$1'; truth := p_call;
    when p_function in ('cagg.first', 'cagg.last') then
      if p_types[2] !~ '^(timestamp|date|bigint|integer|smallint)' then
        perform cagg._refuse(format('%s by a %s', p_function, p_types[2]), 'Order by a timestamptz, timestamp, date or integer.');
      end if;
      kinds := array[case p_function when 'cagg.first' then 'min' else 'max' end];
      flats := array[format('%s(ARRAY[cagg._sortable(%s), (%s)::text] COLLATE "C")%s(%2$s) IS NOT NULL)', kinds[1], p_arguments[2], v_x, v_if)];
      read := format('($1)[2]::%s', v_type);
    when p_function in ('cagg.approx_percentile', 'cagg.percentile_sketch') then
      v_x := p_arguments[cardinality(p_arguments)];
      if cardinality(p_arguments) = 2 and not cagg._is_constant(p_arguments[1], 'between 0 and 1') then
        perform cagg._refuse('a percentile that is no constant from 0 to 1: ' || p_arguments[1], 'The 95th percentile is cagg.approx_percentile(0.95, x).');
      end if;
      kinds := '{tally}';
      flats := array[format('cagg._tally(array_agg(cagg._percentile_key(%s))%s(%1$s) IS NOT NULL))', v_x, v_if)];
      read := case p_function when 'cagg.percentile_sketch' then 'coalesce($1, ''{}'')'
        else format('cagg.percentile(%s, $1)', p_arguments[1]) end;
    else
      kinds := '{sketch}';
      v_hashes := format('array_agg(cagg._hash(%s))%s(%1$s) IS NOT NULL)', v_x, v_if);
      -- A few hashes may stay a bag on the way: making a sketch of them costs more than reading them twice.
      flats := array[format('CASE WHEN cardinality(%s) > 32 THEN cagg._sketch(%1$s) ELSE %1$s END', v_hashes)];
      read := 'coalesce($1, ''{}'')';
      truth := format('coalesce(cagg._sketch(%s), ''{}'')', v_hashes);
      if p_function = 'cagg.approx_count_distinct' then
        read := format('cagg.distinct_count(%s)', read);
        truth := format('cagg.distinct_count(%s)', truth);
      end if;
  end case;
  if truth is null then
    truth := format(regexp_replace(replace(read, '%', '%%'), '\$(\d)', '%\1$s', 'g'), variadic array(
      select case kind when 'add' then 'coalesce(' || flat || ', 0)' else flat end from unnest(kinds, flats) as u (kind, flat)));
  end if;
  return next;
end $$;
