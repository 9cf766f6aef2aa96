-- The shape of a continuous aggregate: its definition as data, from which every statement that maintains or reads it is
-- written. A jsonb object:
--   version               of what is here and in the table of states
--   from, where           over the raw source ("flat"); from_new is from with the source replaced by "new_rows"
--   having, having_truth  over the states; as the user wrote it
--   bucket                {column, type, flat, level, width, time, reach}   time: the source's column; see _bucket
--   keys                  [{name: k1, column, type, flat, level}]          group keys besides the bucket
--   states                [{name: s1, kind, type, flat}]                   what is stored a group; kind: add, min, max, tally, sketch
--   columns               [{column, read, truth}]                          the view's columns, in order
--   immediate             true: it depends on the session, so rows do not wait in the tail, which readers fold in theirs
--   uses                  the source's columns that any of it uses
--   relation, level_where the finer aggregate's name in this definition, and the condition on its rows
-- flat: over the raw source. level: over the columns of the finer aggregate. read: over the states. truth: the user's own.

-- Raised when what a shape or a table of states holds changes: aggregates of an older version are built again.
create or replace function cagg._shape_version() returns integer
language sql immutable
return 7;

-- The types of the aggregates' arguments, found with one more throw-away view: {argument: type}.
create or replace function cagg._argument_types(p_select text, p_from text) returns jsonb
language plpgsql as $$
declare
  v_arguments text[] := array(
    select distinct argument
    from cagg._items(p_select) as i cross join cagg._calls(i.item) as c cross join unnest(c.arguments) as argument
    where argument <> '*' order by 1);
  v_draft regclass;
begin
  if v_arguments = '{}' then return '{}'; end if;
  v_draft := cagg._draft((select 'select ' || string_agg(format('(%s) as c%s', argument, n), ', ')
    from unnest(v_arguments) with ordinality as u (argument, n)) || ' from ' || p_from, 'types');
  return (
    select jsonb_object_agg(v_arguments[attnum], format_type(atttypid, atttypmod))
    from pg_catalog.pg_attribute where attrelid = v_draft and attnum > 0);
end $$;

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

-- The source's columns that a throw-away view uses.
create or replace function cagg._uses(p_view regclass, p_source text) returns jsonb
language sql stable as $$
  select coalesce(jsonb_agg(a.attname order by a.attnum), '[]')
  from pg_catalog.pg_attribute as a
  where a.attrelid = p_source::regclass and a.attnum > 0 and not a.attisdropped and exists (
    select from pg_catalog.pg_depend as d join pg_catalog.pg_rewrite as r on r.oid = d.objid
    where d.classid = 'pg_rewrite'::regclass and r.ev_class = p_view
      and d.refclassid = 'pg_class'::regclass and d.refobjid = a.attrelid and d.refobjsubid = a.attnum)
$$;

-- What is known of a time bucket: its width, the source's time, and its reach: a row lies less than that beyond its bucket's
-- start, and no further before it than the reach exceeds the width. Buckets of buckets add up; local days may be longer than
-- their width, and a local hour that comes twice is named by its second coming.
create or replace function cagg._bucket(p_expression text, p_type text) returns jsonb
language plpgsql as $$
declare
  v_arguments text[] := cagg._bucket_arguments(p_expression);
  v_width text := v_arguments[1];
  v_inner jsonb;
  v_local boolean := cardinality(v_arguments) > 2 and p_type like 'timestamp%';
begin
  if v_arguments is null then
    perform cagg._refuse('an expression over the time bucket: ' || p_expression, 'Select cagg.time_bucket(width, time) by itself, and convert it when you read.');
  elsif not cagg._is_constant(v_width, '> ''0''') then
    perform cagg._refuse('a bucket width that is no constant above zero: ' || v_width, 'Write it as in ''1 hour'', or 60 for integers.');
  end if;
  begin
    execute format('select cagg.time_bucket(%s)', array_to_string(
      array[v_width, format('%L::%s', case when p_type ~ 'int' then '1' else '2000-01-01' end, p_type)] || v_arguments[3:], ', '));
  exception
    when undefined_column or undefined_table then null; -- a zone that is a column
    when others then perform cagg._refuse(format('the time bucket %s: %s', p_expression, sqlerrm), 'Look at its width, zone, origin and offset.');
  end;
  if v_arguments[2] like 'cagg.time_bucket(%' then v_inner := cagg._bucket(v_arguments[2], p_type); end if;
  return jsonb_build_object('type', p_type, 'flat', p_expression, 'width', v_width,
    'time', coalesce(v_inner ->> 'time', v_arguments[2]),
    'reach', v_width || coalesce(' + ' || (v_inner ->> 'reach'), '') || case when v_local then ' + interval ''1 day''' else '' end);
end $$;

-- Whether its buckets are of time; else they are of integers, and no clock says which of them are old.
create or replace function cagg._is_timed(p_shape jsonb) returns boolean
language sql immutable as $$ select p_shape #>> '{bucket,type}' not in ('bigint', 'integer', 'smallint') $$;

-- The shape of a checked definition that stands in p_view, a throw-away view over raw tables.
create or replace function cagg._shape(p_view regclass) returns jsonb
language plpgsql as $$
declare
  v_select text; v_from text; v_where text; v_having text; v_group text;
  v_source record; v_item record; v_call record; v_need record;
  v_expression text; v_read text; v_truth text; v_flat text; v_kind text; v_name text;
  v_bucket jsonb; v_keys jsonb := '[]'; v_states jsonb := '[]'; v_columns jsonb := '[]';
  v_names jsonb := '{"count(*)": "n"}'; v_reads jsonb; v_truths jsonb; v_having_truth text; v_types jsonb;
  v_immediate boolean := cagg._depends_on_session(p_view);
begin
  select * into v_select, v_from, v_where, v_having, v_group from cagg._clauses(p_view);
  if v_group is null then
    perform cagg._refuse('no group by', 'Group by cagg.time_bucket(width, time column) and any other keys.');
  end if;
  select * into v_source from cagg._first_relation(v_from);
  v_types := cagg._argument_types(concat_ws(', ', v_select, v_having), v_from);

  for v_item in
    select i.n, a.attname, format_type(a.atttypid, a.atttypmod) as type,
      cagg._unnamed(i.item, a.attname) as expression
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
    for v_call in select * from cagg._calls(v_expression) loop
      if v_call.function = 'cagg.rollup' then
        perform cagg._refuse('cagg.rollup over a table', 'Use cagg.distinct_sketch(x) or cagg.percentile_sketch(x) here; rollup merges the sketches of a continuous aggregate.');
      end if;
      select * into v_need from cagg._states_of(v_call.function, v_call.arguments, v_call.filter, v_call.call,
        array(select v_types ->> argument from unnest(v_call.arguments) with ordinality as u (argument, n) order by n));
      v_read := v_need.read;
      for i in 1..cardinality(v_need.flats) loop
        v_flat := v_need.flats[i];
        if not v_names ? v_flat then
          v_kind := v_need.kinds[i];
          v_name := 's' || jsonb_array_length(v_states) + 1;
          v_names := v_names || jsonb_build_object(v_flat, v_name);
          -- A hash is one of the value's text, unless text is always the same.
          v_immediate := v_immediate or v_kind = 'sketch' and v_types ->> v_call.arguments[1] !~ '^(text|character|uuid|bigint|integer|smallint|numeric|boolean)';
          v_states := v_states || jsonb_build_object('name', v_name, 'kind', v_kind, 'flat', v_flat);
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
      v_bucket := cagg._bucket(v_expression, v_item.type) || jsonb_build_object('column', v_item.attname);
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
  -- A row without a time belongs to no bucket.
  v_where := concat_ws(' AND ', '(' || v_where || ')', format('(%s) IS NOT NULL', v_bucket ->> 'time'));
  return jsonb_build_object('version', cagg._shape_version(), 'source', v_source.relation, 'from', v_from,
    'immediate', v_immediate, 'uses', cagg._uses(p_view, v_source.relation),
    'from_new', format('new_rows %s%s', v_source.alias, v_source.rest),
    'where', v_where, 'having', v_having, 'having_truth', v_having_truth, 'bucket', v_bucket, 'keys', v_keys, 'states', v_states, 'columns', v_columns);
end $$;
