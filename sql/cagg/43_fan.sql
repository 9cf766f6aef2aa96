-- Fan-outs: `cross join lateral (values ('ALL', ''), ('COUNTRY', e.country), …) as d (dimension, key)` counts each row once under
-- every branch, so that one aggregate feeds many breakdowns. Run as it stands it multiplies the rows before it groups them.
-- Here they are folded first by the columns that the branches look at, and the few groups that remain are fanned out.
-- Method: Yan and Larson, "Eager aggregation and lazy aggregation" (1995).

-- The columns of a relation that an expression uses, sorted.
create or replace function cagg._columns_of(p_expression text, p_alias text) returns text[]
language sql immutable parallel safe as $$
  with tokens as (select n, token, lead(token) over (order by n) as dot, lead(token, 2) over (order by n) as member from cagg._tokens(p_expression))
  select coalesce(array_agg(distinct member order by member), '{}') from tokens where token = p_alias and dot = '.'
$$;

-- All the expressions of some branches in one text.
create or replace function cagg._expressions(p_rows jsonb) returns text
language sql immutable as $$ select string_agg(cell, ' ') from jsonb_array_elements(p_rows) as line cross join jsonb_array_elements_text(line) as cell $$;

-- The branches of a fan-out: {alias, source: the source's alias, columns: [name], rows: [[expression]]}; null: the FROM is none.
create or replace function cagg._fan(p_from text) returns jsonb
language plpgsql immutable as $$
declare
  v_source record;
  v_parts text[];
begin
  select * into v_source from cagg._first_relation(p_from);
  v_parts := regexp_match(v_source.rest, '^\s*CROSS JOIN LATERAL \( VALUES (.*)\) ([^ ()]+)\(([^()]*)\)\s*$');
  if v_parts is null then return null; end if;
  return jsonb_build_object('alias', v_parts[2], 'source', v_source.alias,
    'columns', (select jsonb_agg(item order by n) from cagg._items(v_parts[3])),
    'rows', (
      select jsonb_agg((select jsonb_agg(cell.item order by cell.n) from cagg._items(substr(line.item, 2, length(line.item) - 2)) as cell) order by line.n)
      from cagg._items(v_parts[1]) as line));
end $$;

-- An expression as one branch has it: the fan's columns replaced by that row's expressions.
create or replace function cagg._branched(p_expression text, p_fan jsonb, p_row jsonb) returns text
language sql immutable as $$
  select cagg._replace_columns(p_expression, p_fan ->> 'alias',
    (select jsonb_object_agg(p_fan -> 'columns' ->> i, p_row ->> i) from generate_series(0, jsonb_array_length(p_row) - 1) as i))
$$;

-- Whether an expression is a text literal.
create or replace function cagg._is_literal(p_expression text) returns boolean
language sql immutable as $$ select p_expression ~ '^\(*''([^'']|'''')*''::text\)*$' $$;

-- Whether no two branches can have a group in common: one of the keys is a column of theirs that is a constant, another in each.
create or replace function cagg._is_disjoint(p_fan jsonb, p_keys jsonb) returns boolean
language sql immutable as $$
  select exists (
    select from generate_series(0, jsonb_array_length(p_fan -> 'columns') - 1) as i
    join jsonb_array_elements(p_keys) as k on k ->> 'flat' = (p_fan ->> 'alias') || '.' || (p_fan -> 'columns' ->> i)
    where (
      select count(distinct line ->> i) filter (where cagg._is_literal(line ->> i)) = count(*)
      from jsonb_array_elements(p_fan -> 'rows') as line))
$$;

-- The fan-out of an aggregate whose branches can be taken apart: they have no group in common, and only keys look at them.
create or replace function cagg._branching(p_this cagg._aggregates) returns jsonb
language sql stable as $$
  select fan from (select p_this.shape, cagg._fan(p_this.shape ->> 'from')) as fans (s, fan)
  where cagg._is_disjoint(fan, s -> 'keys') and cardinality(cagg._columns_of(concat_ws(' ', s ->> 'where', s #>> '{bucket,flat}',
    (select string_agg(state ->> 'flat', ' ') from jsonb_array_elements(s -> 'states') as state)), fan ->> 'alias')) = 0
$$;

-- What few rows come to, with a SELECT a branch: a reader who asks for one breakdown pays for that one.
create or replace function cagg._select_branches(p_this cagg._aggregates, p_from text) returns text
language sql stable as $$
  select cagg._branches(p_this, fan, fan -> 'rows', p_from, p_this.shape #>> '{bucket,flat}', 'count(*)', null)
  from (select cagg._branching(p_this)) as branching (fan) where fan is not null
$$;

-- What rows come to in an aggregate over a fan-out: as _select_raw says it, but folded before they are fanned out.
-- Null where the definition does not allow it: then _select_raw it is.
create or replace function cagg._select_fanned(p_this cagg._aggregates, p_from text) returns text
language plpgsql stable as $$
declare
  s jsonb := p_this.shape;
  v_fan jsonb := cagg._branching(p_this);
  v_calls text[]; v_looks text[];
  v_together jsonb; v_apart jsonb; v_parts text[] := '{}';
begin
  if v_fan is null
    -- A tally counts repeats, which folding by value would lose; and what is not all aggregates cannot be folded twice.
    or exists (select from jsonb_array_elements(s -> 'states') as state where state ->> 'kind' not in ('add', 'min', 'max', 'sketch'))
    or exists (
      select from jsonb_array_elements(s -> 'states') as state
      cross join lateral (select coalesce(jsonb_object_agg(c.call, ''), '{}') as none from cagg._calls(state ->> 'flat') as c) as calls
      where cardinality(cagg._columns_of(cagg._replace_calls(state ->> 'flat', none), v_fan ->> 'source')) > 0)
  then return null; end if;
  select array_agg(distinct c.call), coalesce(array_agg(distinct looked) filter (where looked is not null), '{}') into v_calls, v_looks
  from jsonb_array_elements(s -> 'states') as state
  cross join cagg._calls(state ->> 'flat') as c
  left join unnest(case when c.function = 'array_agg' then cagg._columns_of(c.filter, v_fan ->> 'source') end) as looked on true;
  -- Distinct values are folded by value: what their filters look at varies within one, so branches by that go a way of their own.
  select jsonb_agg(line order by n) filter (where not looks), jsonb_agg(line order by n) filter (where looks) into v_together, v_apart
  from jsonb_array_elements(v_fan -> 'rows') with ordinality as lines (line, n)
  cross join lateral (select cagg._columns_of(cagg._expressions(jsonb_build_array(line)), v_fan ->> 'source') && v_looks) as looking (looks);
  v_parts := array[cagg._fan_of(p_this, p_from, v_fan, v_together, v_calls), cagg._fan_of(p_this, p_from, v_fan, v_apart, v_calls)];
  if v_together is not null and v_parts[1] is null or v_apart is not null and v_parts[2] is null then return null; end if;
  return array_to_string(v_parts, ' union all ');
end $$;

-- Some branches of a fan-out: the rows folded by what these look at, then one SELECT a branch. A single branch needs no first fold.
create or replace function cagg._fan_of(p_this cagg._aggregates, p_from text, p_fan jsonb, p_rows jsonb, p_calls text[]) returns text
language plpgsql stable as $$
declare
  s jsonb := p_this.shape;
  v_source text := p_fan ->> 'source';
  v_keys text := (select string_agg(k ->> 'flat', ' ') from jsonb_array_elements(s -> 'keys') as k);
  v_columns text[] := cagg._columns_of(concat_ws(' ', v_keys, cagg._expressions(p_rows)), v_source);
  v_call record; v_groups text[] := '{}'; v_folds text[] := '{}'; v_values jsonb := '{}'; v_late text; v_name text; v_hashed text;
begin
  if p_rows is null then return null; end if;
  if jsonb_array_length(p_rows) = 1 then
    return cagg._branches(p_this, p_fan, p_rows, p_from, s #>> '{bucket,flat}', 'count(*)', null);
  end if;
  for v_call in select c.*, row_number() over () as i from unnest(p_calls) as call cross join cagg._calls(call) as c loop
    v_name := 'cagg_' || v_call.i;
    v_late := case when cagg._columns_of(v_call.filter, v_source) <@ v_columns then ' FILTER (WHERE ' || v_call.filter || ')' end;
    if v_call.function = 'array_agg' then
      -- One column of hashes to fold by, no more.
      if v_hashed <> array_to_string(v_call.arguments, ', ') then return null; end if;
      v_hashed := array_to_string(v_call.arguments, ', ');
      v_folds := v_folds || format('bool_or(%s) as %s', v_call.filter, v_name);
      v_values := v_values || jsonb_build_object(v_call.call, format('array_agg(%s.cagg_hash) FILTER (WHERE %1$s.%s)', v_source, v_name));
    elsif v_call.function in ('count', 'sum', 'min', 'max') then
      v_folds := v_folds || format('%s(%s)%s as %s', v_call.function, array_to_string(v_call.arguments, ', '),
        case when v_late is null then ' FILTER (WHERE ' || v_call.filter || ')' end, v_name);
      v_values := v_values || jsonb_build_object(v_call.call, format('%s(%s.%s)%s',
        case v_call.function when 'count' then 'sum' else v_call.function end, v_source, v_name, v_late));
    else
      return null;
    end if;
  end loop;
  v_groups := array(select format('%s.%s', v_source, c) from unnest(v_columns) as c) || case when v_hashed is not null then array[v_hashed || ' as cagg_hash'] else '{}' end;
  return format('(with folded as materialized (select %s, count(*) as cagg_n%s from %s%s group by %s) %s)',
    array_to_string(array[(s #>> '{bucket,flat}') || ' as cagg_bucket'] || v_groups, ', '),
    (select string_agg(', ' || f, '') from unnest(v_folds) as f), p_from, ' where ' || (s ->> 'where'), cagg._positions(1 + cardinality(v_groups)),
    cagg._branches(p_this, p_fan, p_rows, 'folded as ' || v_source, v_source || '.cagg_bucket', format('sum(%s.cagg_n)::bigint', v_source), v_values));
end $$;

-- One SELECT a branch over rows or folded rows. p_values: what the states' aggregate calls are over folded rows; null: over rows.
create or replace function cagg._branches(
  p_this cagg._aggregates, p_fan jsonb, p_rows jsonb, p_from text, p_bucket text, p_count text, p_values jsonb
)
returns text
language sql stable as $$
  select string_agg(format('select %s as bucket%s, %s as n%s from %s%s group by %s', p_bucket,
      (select string_agg(format(', (%s)::%s as %s', cagg._branched(k ->> 'flat', p_fan, line), k ->> 'type', k ->> 'name'), '' order by i)
        from jsonb_array_elements(s -> 'keys') with ordinality as keys (k, i)),
      p_count,
      cagg._by_kind(cagg._states_over(s -> 'states', p_values),
        ', coalesce((%3$s)::%4$s, ''0''::%4$s) as %1$s', ', %3$s as %1$s', ', %3$s as %1$s', ', %3$s as %1$s', ', %3$s as %1$s'),
      p_from, case when p_values is null then ' where ' || (s ->> 'where') end,
      -- A branch's constants need no grouping.
      (select string_agg(position::text, ', ' order by position) from (
        select 1 as position
        union all
        select i + 1 from jsonb_array_elements(s -> 'keys') with ordinality as keys (k, i) where not cagg._is_literal(cagg._branched(k ->> 'flat', p_fan, line))
      ) as positions)), ' union all ' order by n)
  from (select p_this.shape as s) as shape, jsonb_array_elements(p_rows) with ordinality as lines (line, n)
$$;

-- States with their aggregate calls replaced. Hashes stay a bag: sorting them here costs more than carrying some twice.
create or replace function cagg._states_over(p_states jsonb, p_values jsonb) returns jsonb
language sql immutable as $$
  select coalesce(jsonb_agg(state || jsonb_build_object('flat', case
    when state ->> 'kind' = 'sketch' then (select coalesce(p_values ->> c.call, c.call) from cagg._calls(state ->> 'flat') as c limit 1)
    when p_values is null then state ->> 'flat'
    else cagg._replace_calls(state ->> 'flat', p_values) end) order by n), '[]')
  from jsonb_array_elements(p_states) with ordinality as states (state, n)
$$;
