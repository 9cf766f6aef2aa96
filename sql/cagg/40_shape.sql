-- The shape of a continuous aggregate: its definition as data, from which every statement that maintains or reads it is
-- written. A jsonb object:
--   from, where           over the raw source ("flat"); from_new is from with the source replaced by "new_rows"
--   having, having_truth  over the states; as the user wrote it
--   bucket                {column, type, flat, level, width}
--   keys                  [{name: k1, column, type, flat, level}]          group keys besides the bucket
--   states                [{name: s1, kind, type, flat}]                   what is stored a group; kind: add, min, max, sketch
--   columns               [{column, read, truth}]                          the view's columns, in order
--   shard                 the expression that spreads a group's rows over slots, where there is a sketch; else null
--   relation, level_where the finer aggregate's name in this definition, and the condition on its rows
-- flat: over the raw source. level: over the columns of the finer aggregate. read: over the states. truth: the user's own.

-- The states one aggregate call needs, and the value at read. $n stands for the nth state.
create or replace function cagg._states_of(p_function text, p_argument text, p_filter text, p_call text)
returns table (kinds text[], flats text[], read text, truth text)
language sql immutable as $$
  with c as (
    select coalesce(' FILTER (WHERE ' || p_filter || ')', '') as filter_clause,
      coalesce('(' || p_filter || ') AND ', '') as and_filter
  )
  select case p_function
      when 'sum' then '{add,add}'::text[] when 'avg' then '{add,add}' when 'cagg.distinct_sketch' then '{sketch}'
      when 'count' then '{add}' else array[p_function] end,
    case
      when p_function in ('sum', 'avg') then array['sum(' || p_argument || ')' || filter_clause, 'count(' || p_argument || ')' || filter_clause]
      when p_function = 'cagg.distinct_sketch' then array[format(
        'array_agg(cagg._hash(%s)) FILTER (WHERE %s(%1$s) IS NOT NULL)', p_argument, and_filter)]
      else array[p_call] end,
    case p_function
      when 'sum' then '(case when $2 > 0 then $1 end)'
      when 'avg' then '($1 / nullif($2, 0)::numeric)'
      when 'cagg.distinct_sketch' then 'coalesce($1, ''{}'')'
      else '$1' end,
    case when p_function = 'cagg.distinct_sketch' then format(
      'coalesce(cagg._sketch(array_agg(cagg._hash(%s)) FILTER (WHERE %s(%1$s) IS NOT NULL)), ''{}'')', p_argument, and_filter)
      else p_call end
  from c
$$;

-- The first relation of a canonical FROM, and the name it goes by there.
create or replace function cagg._first_relation(p_from text)
returns table (relation text, alias text, rest text)
language plpgsql immutable as $$
declare
  v_parts text[] := regexp_match(p_from,
    '^((?:"(?:[^"]|"")*"|[a-z_][a-z0-9_$]*)\.(?:"(?:[^"]|"")*"|[a-z_][a-z0-9_$]*))(?:\s+("(?:[^"]|"")*"|[a-z_][a-z0-9_$]*))?(.*)$');
begin
  if v_parts is null then
    perform cagg._refuse('a FROM that does not begin with a table', 'Name the source table first, then join the others to it.');
  end if;
  relation := v_parts[1];
  alias := coalesce(v_parts[2], (regexp_match(v_parts[1], '\.(.*)$'))[1]);
  rest := v_parts[3];
  return next;
end $$;

-- An expression without layout and outer brackets, to compare two printings of it.
create or replace function cagg._bare(p_expression text) returns text
language sql immutable strict as $$ select regexp_replace(regexp_replace(p_expression, '\s+', '', 'g'), '^\((.*)\)$', '\1') $$;

-- The shape of a checked definition that stands in p_view, a throw-away view over raw tables.
create or replace function cagg._shape(p_view regclass) returns jsonb
language plpgsql as $$
declare
  v_select text; v_from text; v_where text; v_having text; v_group text;
  v_source record; v_item record; v_call record; v_need record;
  v_expression text; v_read text; v_truth text; v_flat text; v_kind text; v_name text;
  v_bucket jsonb; v_keys jsonb := '[]'; v_states jsonb := '[]'; v_columns jsonb := '[]';
  v_names jsonb := '{"count(*)": "n"}'; v_reads jsonb; v_truths jsonb; v_shard text; v_extra text; v_having_truth text;
begin
  select max(body) filter (where clause = 'SELECT'), max(body) filter (where clause = 'FROM'),
    max(body) filter (where clause = 'WHERE'), max(body) filter (where clause = 'HAVING'),
    regexp_replace(max(body) filter (where clause = 'GROUP'), '^BY ', '')
  into v_select, v_from, v_where, v_having, v_group
  from cagg._clauses(pg_get_viewdef(p_view, true));
  if v_group is null then
    perform cagg._refuse('no group by', 'Group by cagg.time_bucket(width, time column) and any other keys.');
  end if;
  select * into v_source from cagg._first_relation(v_from);

  for v_item in
    select i.n, a.attname, format_type(a.atttypid, a.atttypmod) as type,
      regexp_replace(i.item, ' AS ' || regexp_replace(quote_ident(a.attname), '([.*+?^$()\[\]{}|\\])', '\\\1', 'g') || '$', '') as expression
    from cagg._items(v_select) as i
    join pg_catalog.pg_attribute as a on a.attrelid = p_view and a.attnum = i.n
    union all
    -- HAVING is one more expression over states, read like a column without a name.
    select 10000, null, 'boolean', v_having where v_having is not null
    order by 1
  loop
    v_expression := v_item.expression;
    v_reads := '{}';
    v_truths := '{}';
    for v_call in select * from cagg._aggregate_calls(v_expression) loop
      if v_call.function = 'cagg.rollup' then
        perform cagg._refuse('cagg.rollup over a table', 'Use cagg.distinct_sketch(x) here; rollup merges the sketches of a continuous aggregate.');
      end if;
      select * into v_need from cagg._states_of(v_call.function, v_call.argument, v_call.filter, v_call.call);
      v_read := v_need.read;
      for i in 1..cardinality(v_need.flats) loop
        v_flat := v_need.flats[i];
        if not v_names ? v_flat then
          v_kind := v_need.kinds[i];
          v_name := 's' || jsonb_array_length(v_states) + 1;
          v_names := v_names || jsonb_build_object(v_flat, v_name);
          v_states := v_states || jsonb_build_object('name', v_name, 'kind', v_kind, 'flat', v_flat);
          if v_kind = 'sketch' and v_shard is null then
            v_shard := format('(coalesce(cagg._hash(%s), 0) & 15)::smallint', v_call.argument);
          end if;
        end if;
        v_read := replace(v_read, '$' || i, v_names ->> v_flat);
      end loop;
      v_reads := v_reads || jsonb_build_object(v_call.call, v_read);
      v_truths := v_truths || jsonb_build_object(v_call.call, v_need.truth);
    end loop;
    if v_item.attname is null then
      v_having := cagg._replace_calls(v_expression, v_reads);
      v_having_truth := cagg._replace_calls(v_expression, v_truths);
    elsif v_reads <> '{}' then
      v_read := cagg._replace_calls(v_expression, v_reads);
      v_truth := cagg._replace_calls(v_expression, v_truths);
      v_columns := v_columns || jsonb_build_object('column', v_item.attname, 'read', v_read, 'truth', v_truth, 'type', v_item.type,
        'call', case when (select count(*) from jsonb_object_keys(v_reads)) = 1 and v_truths ? v_expression then v_expression end);
    elsif v_expression like 'cagg.time_bucket(%' then
      if v_bucket is not null then
        perform cagg._refuse('two time buckets', 'Keep one cagg.time_bucket; make the other a second continuous aggregate.');
      end if;
      v_bucket := jsonb_build_object('column', v_item.attname, 'type', v_item.type, 'flat', v_expression, 'width',
        (select item from cagg._items((regexp_match(v_expression, '^cagg\.time_bucket\((.*)\)$'))[1]) where n = 1));
      v_columns := v_columns || jsonb_build_object('column', v_item.attname, 'read', 'bucket', 'truth', v_expression, 'type', v_item.type);
    else
      v_name := 'k' || jsonb_array_length(v_keys) + 1;
      v_keys := v_keys || jsonb_build_object('name', v_name, 'column', v_item.attname, 'type', v_item.type, 'flat', v_expression);
      v_columns := v_columns || jsonb_build_object('column', v_item.attname, 'read', v_name, 'truth', v_expression, 'type', v_item.type);
    end if;
  end loop;
  if v_bucket is null then
    perform cagg._refuse('no time bucket', 'Select and group by cagg.time_bucket(width, time column).');
  end if;
  select string_agg(g.item, ', ') into v_extra from cagg._items(v_group) as g
  where not exists (
    select from jsonb_array_elements(v_keys || v_bucket) as k
    where cagg._bare(k ->> 'flat') = cagg._bare(g.item));
  if v_extra is not null then
    perform cagg._refuse('a group key that is not selected: ' || v_extra, 'Add it to the select list, or leave it out of the group by.');
  end if;
  return jsonb_build_object('source', v_source.relation, 'from', v_from,
    'from_new', format('new_rows %s%s', v_source.alias, v_source.rest),
    'where', v_where, 'having', v_having, 'having_truth', v_having_truth, 'bucket', v_bucket, 'keys', v_keys, 'states', v_states, 'columns', v_columns,
    'shard', v_shard);
end $$;

-- The definition of an aggregate over a finer one, rewritten over the raw source: columns by what they stand for, sum of a
-- count or sum by that count or sum, and so on.
create or replace function cagg._flatten(p_view regclass, p_parent cagg._aggregates) returns text
language plpgsql as $$
declare
  v_shape jsonb := p_parent.shape;
  v_source record; v_call record; v_column jsonb; v_item record;
  v_select text; v_from text; v_where text; v_having text; v_group text;
  v_keys jsonb; v_list text[] := '{}'; v_replacements jsonb; v_inner text;
begin
  select max(body) filter (where clause = 'SELECT'), max(body) filter (where clause = 'FROM'),
    max(body) filter (where clause = 'WHERE'), max(body) filter (where clause = 'HAVING'),
    regexp_replace(max(body) filter (where clause = 'GROUP'), '^BY ', '')
  into v_select, v_from, v_where, v_having, v_group
  from cagg._clauses(pg_get_viewdef(p_view, true));
  select * into v_source from cagg._first_relation(v_from);
  if btrim(v_source.rest) <> '' then
    perform cagg._refuse('a join to a continuous aggregate', 'Join in the finest aggregate, or when you read.');
  elsif v_shape ->> 'having' is not null then
    perform cagg._refuse('a source that has a having clause', 'Apply having in the coarser aggregate.');
  end if;
  select jsonb_object_agg(quote_ident(k ->> 'column'), k ->> 'flat') into v_keys
  from jsonb_array_elements(v_shape -> 'keys' || jsonb_build_array(v_shape -> 'bucket')) as k;

  for v_item in
    select i.item, a.attname from cagg._items(v_select) as i
    join pg_catalog.pg_attribute as a on a.attrelid = p_view and a.attnum = i.n
    union all select v_having, null where v_having is not null
  loop
    v_replacements := '{}';
    for v_call in select * from cagg._aggregate_calls(v_item.item) loop
      select c into v_column from jsonb_array_elements(v_shape -> 'columns') as c
      where v_call.argument in (quote_ident(c ->> 'column'), v_source.alias || '.' || quote_ident(c ->> 'column'));
      v_inner := (select c.function from cagg._aggregate_calls(v_column ->> 'call') as c);
      if v_call.filter is not null or v_inner is null
        or (v_call.function, v_inner) not in
          (('sum', 'sum'), ('sum', 'count'), ('min', 'min'), ('max', 'max'), ('avg', 'avg'), ('cagg.rollup', 'cagg.distinct_sketch'))
      then
        perform cagg._refuse(v_call.call || ' over a continuous aggregate',
          'Over a finer aggregate use sum of its counts and sums, min of min, max of max, avg of avg, cagg.rollup of sketches, without filter.');
      end if;
      v_replacements := v_replacements || jsonb_build_object(v_call.call, v_column ->> 'call');
    end loop;
    if v_replacements <> '{}' then
      v_item.item := cagg._replace_calls(v_item.item, v_replacements);
    else
      v_item.item := cagg._replace_columns(regexp_replace(v_item.item, ' AS [^ ]+$', ''), v_source.alias, v_keys) || ' AS ' || quote_ident(v_item.attname);
    end if;
    if v_item.attname is null then v_having := v_item.item; else v_list := v_list || v_item.item; end if;
  end loop;
  return concat_ws(' ',
    'SELECT', array_to_string(v_list, ', '), 'FROM', v_shape ->> 'from',
    'WHERE ' || nullif(concat_ws(' AND ', '(' || (v_shape ->> 'where') || ')', '(' || cagg._replace_columns(v_where, v_source.alias, v_keys) || ')'), ''),
    'GROUP BY', (
      select string_agg(cagg._replace_columns(g.item, v_source.alias, v_keys), ', ') from cagg._items(v_group) as g),
    'HAVING ' || v_having);
end $$;
