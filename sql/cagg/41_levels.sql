-- Hierarchies: an aggregate over a finer one is known by what it is over the raw source, and by the step from that finer one.

-- The definition of an aggregate over a finer one, rewritten over the raw source: columns by what they stand for, sum of a
-- count or sum by that count or sum, and so on.
create or replace function cagg._flatten(p_view regclass, p_parent cagg._aggregates) returns text
language plpgsql as $$
declare
  v_shape jsonb := p_parent.shape;
  v_source record; v_call record; v_column jsonb; v_item record;
  v_select text; v_from text; v_where text; v_having text; v_group text;
  v_keys jsonb; v_list text[] := '{}'; v_replacements jsonb; v_inner record;
  v_bucket text := quote_ident(v_shape #>> '{bucket,column}');
begin
  select * into v_select, v_from, v_where, v_having, v_group from cagg._clauses(p_view);
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
    for v_call in select * from cagg._calls(v_item.item) loop
      select c into v_column from jsonb_array_elements(v_shape -> 'columns') as c
      where v_call.arguments[case v_call.function when 'cagg.approx_percentile' then 2 else 1 end]
        in (quote_ident(c ->> 'column'), v_source.alias || '.' || quote_ident(c ->> 'column'));
      v_inner := null;
      select * into v_inner from cagg._calls(v_column ->> 'call');
      if v_call.filter is not null or v_inner.function is null
        or (v_call.function, v_inner.function) not in
          (('sum', 'count'), ('cagg.rollup', 'cagg.distinct_sketch'), ('cagg.rollup', 'cagg.percentile_sketch'))
          and (v_call.function <> v_inner.function or v_inner.function = 'count')
      then
        perform cagg._refuse(v_call.call || ' over a continuous aggregate',
          'Over a finer aggregate use sum of its counts, any other aggregate of itself (sum of sum, avg of avg, max of max …), cagg.rollup of sketches, without filter.');
      elsif v_call.function = 'cagg.approx_percentile' and v_call.arguments[1] <> v_inner.arguments[1] then
        perform cagg._refuse(v_call.call || ' over another percentile',
          'Keep a cagg.percentile_sketch(x) in the finer aggregate, and take cagg.percentile(p, cagg.rollup(sketch)) of it.');
      elsif v_call.function in ('cagg.first', 'cagg.last')
        and v_call.arguments[2] not in (v_bucket, v_source.alias || '.' || v_bucket)
      then
        perform cagg._refuse(v_call.call || ' by another column than the finer bucket',
          format('Write %s(%s, %s): the time of the rows themselves decides within a bucket.', v_call.function, v_call.arguments[1], v_bucket));
      end if;
      v_replacements := v_replacements || jsonb_build_object(v_call.call, v_column ->> 'call');
    end loop;
    if v_replacements <> '{}' then
      v_item.item := cagg._replace_calls(v_item.item, v_replacements);
    else
      v_item.item := cagg._replace_columns(cagg._unnamed(v_item.item, v_item.attname), v_source.alias, v_keys) || ' AS ' || quote_ident(v_item.attname);
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

-- Where the levels of a hierarchy meet: the coarser aggregate's keys and bucket as expressions over the finer's columns.
create or replace function cagg._with_level(p_shape jsonb, p_view regclass, p_parent cagg._aggregates) returns jsonb
language plpgsql as $$
declare
  v_relation record;
  v_select text; v_from text; v_where text;
  v_levels jsonb;
  v_missing text;
begin
  select select_list, from_list, condition into v_select, v_from, v_where from cagg._clauses(p_view);
  select * into v_relation from cagg._first_relation(v_from);
  select jsonb_object_agg(a.attname, cagg._unnamed(i.item, a.attname)) into v_levels
  from cagg._items(v_select) as i
  join pg_catalog.pg_attribute as a on a.attrelid = p_view and a.attnum = i.n;
  select string_agg(s ->> 'flat', ', ') into v_missing from jsonb_array_elements(p_shape -> 'states') as s
  where not exists (
    select from jsonb_array_elements(p_parent.shape -> 'states') as finer where finer ->> 'flat' = s ->> 'flat');
  if v_missing is not null then
    perform cagg._refuse(v_missing || ', which the finer aggregate does not keep', 'Add it to the finer aggregate''s definition first.');
  end if;
  return p_shape || jsonb_build_object(
    'relation', v_relation.alias, 'level_where', v_where,
    'bucket', p_shape -> 'bucket' || jsonb_build_object('level', v_levels ->> (p_shape #>> '{bucket,column}')),
    'keys', (
      select coalesce(jsonb_agg(k || jsonb_build_object('level', v_levels ->> (k ->> 'column')) order by n), '[]')
      from jsonb_array_elements(p_shape -> 'keys') with ordinality as keys (k, n)),
    'states', (
      select coalesce(jsonb_agg(s || jsonb_build_object('finer', finer ->> 'name') order by n), '[]')
      from jsonb_array_elements(p_shape -> 'states') with ordinality as states (s, n)
      join jsonb_array_elements(p_parent.shape -> 'states') as finer on finer ->> 'flat' = s ->> 'flat'));
end $$;
