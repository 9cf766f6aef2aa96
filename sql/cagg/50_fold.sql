-- The fold: statement-level triggers on each source, with transition tables, whose functions are written here as static SQL.
-- One statement takes the new rows once, folds them to a few groups, writes those, folds them on to the coarser levels,
-- and logs what changed. Inside the writer's transaction: what is committed is in every aggregate.

-- All aggregates folded from one root, the root first, each after the one it is folded from.
create or replace function cagg._tree(p_root integer) returns setof cagg._aggregates
language sql stable as $$
  with recursive tree as (
    select id, 0 as depth from cagg._aggregates where id = p_root
    union all
    select a.id, depth + 1 from cagg._aggregates as a join tree on a.parent = tree.id
  )
  select a.* from tree join cagg._aggregates as a using (id) order by depth, id
$$;

-- The aggregate at the root of another's tree.
create or replace function cagg._root(p_id integer) returns cagg._aggregates
language sql stable as $$
  with recursive path as (
    select id, parent from cagg._aggregates where id = p_id
    union all
    select a.id, a.parent from path join cagg._aggregates as a on a.id = path.parent
  )
  select a.* from path join cagg._aggregates as a using (id) where path.parent is null
$$;

create or replace function cagg._is_additive(p_shape jsonb) returns boolean
language sql immutable as $$
  select not exists (select from jsonb_array_elements(p_shape -> 'states') as s where s ->> 'kind' not in ('add', 'tally'))
$$;

-- What a statement's rows come to in a root: groups with what came and what went.
create or replace function cagg._delta(p_root cagg._aggregates, p_event text) returns text
language sql stable as $$
  select case p_event
    when 'update' then format('select bucket%s, sum(n)::bigint as n%s from (%s union all %s) as moved group by %s',
      cagg._list(p_root.shape -> 'keys', ', %1$s', ''), cagg._merged(p_root.shape -> 'states', ''), came, went,
      cagg._positions(1 + jsonb_array_length(p_root.shape -> 'keys')))
    when 'delete' then went
    else came end
  from (
    select coalesce(cagg._select_fanned(p_root, 'new_rows ' || relation.alias), cagg._select_raw(p_root, p_root.shape ->> 'from_new', 1)) as came,
      cagg._select_raw(p_root, regexp_replace(p_root.shape ->> 'from_new', '^new_rows', 'old_rows'), -1) as went
    from cagg._first_relation(p_root.shape ->> 'from') as relation) as rows
$$;

-- One statement that folds rows into every tree of a source, and logs it. The event tail: the rows of the tail, which are taken out of it.
create or replace function cagg._fold_sql(p_source text, p_event text) returns text
language plpgsql stable as $$
declare
  v_root cagg._aggregates; v_this cagg._aggregates; v_finer cagg._aggregates;
  v_parts text[] := '{}'; v_logs text[] := '{}';
begin
  if p_event = 'tail' then
    v_parts := array[format('new_rows as materialized (delete from %1$s where ctid = any (array(select ctid from %1$s for update skip locked)) returning %2$s)',
      cagg._tail(p_source), cagg._tail_columns(p_source))];
  end if;
  for v_root in select * from cagg._roots(p_source) loop
    for v_this in select * from cagg._tree(v_root.id) loop
      if v_this.id = v_root.id then
        v_parts := v_parts || format('d%s as materialized (%s)', v_this.id, cagg._delta(v_root, p_event));
      else
        select * into v_finer from cagg._aggregates where id = v_this.parent;
        v_parts := v_parts || format('d%s as materialized (%s)', v_this.id, cagg._select_level(v_this, v_finer, 'd' || v_finer.id));
      end if;
      v_parts := v_parts || format('w%s as (%s)', v_this.id, cagg._write(v_this, 'd' || v_this.id, p_event = 'update', null, false));
    end loop;
    v_logs := v_logs || format('select log.*, %s from (%s) as log',
      -- Rows that an update takes out of their bucket are gone from there like deleted ones.
      case p_event when 'delete' then 'true' when 'update' then format('exists (select from d%s group by bucket having sum(n) <> 0)', v_root.id) else 'false' end,
      cagg._log(v_root, 'd' || v_root.id || case when p_event = 'update' then ' where ' || cagg._moved(v_root.shape) else '' end));
  end loop;
  return format(E'with %s\ninsert into cagg._changes (aggregate, first_bucket, last_bucket, deleted) %s;\n',
    array_to_string(v_parts, E',\n'), array_to_string(v_logs, ' union all '));
end $$;

-- What an insert of few rows does instead of folding: it appends them to the tail, which is their line in the change log, too; and one
-- row in _tail_rows() brings all of the tail to the fold: by the clock, since random() would take a number out of the writer's own
-- sequence. Under repeatable read that could meet a row that another has folded since: not there. Nor while maintenance cleans,
-- which must know where all states are.
create or replace function cagg._append_sql(p_source text) returns text
language sql stable as $$
  select format($sql$insert into %1$s (%2$s) select %2$s from new_rows where not exists (select from new_rows offset %4$s);
get diagnostics v_rows = row_count;
if v_rows > 0 then
if (hashfloat8(extract(epoch from clock_timestamp())::float8) & 2147483647) %% %4$s < v_rows and current_setting('transaction_isolation') = 'read committed'
  and pg_try_advisory_xact_lock_shared(hashtext('cagg.tail'), hashtext(%5$L)) then
perform %3$s();
end if;
return null;
end if;
$sql$, cagg._tail(p_source), cagg._tail_columns(p_source), cagg._fold_function(p_source, 'tail'), cagg._tail_rows(), p_source)
  where cagg._tail_rows() > 0 and not exists (select from cagg._roots(p_source) as r where (r.shape ->> 'immediate')::boolean)
$$;

-- The rows of the tail as lines of the change log, a line each.
create or replace function cagg._waiting_sql(p_source text) returns text
language sql stable as $$
  select 'return query ' || string_agg(format('select cagg_xid, %s, bucket::text, bucket::text, cagg_at, false from (select %s.cagg_xid, %2$s.cagg_at, %s as bucket from %s) as waiting where bucket is not null',
    r.id, relation.alias, r.shape #>> '{bucket,flat}', regexp_replace(cagg._from_alone(r.shape), '^new_rows', cagg._tail(p_source))), ' union all ' order by r.id) || E';\n'
  from cagg._roots(p_source) as r cross join cagg._first_relation(r.shape ->> 'from') as relation
$$;

-- What is enough of a definition's FROM to compute the bucket: the source alone, if no other relation has a part in it.
create or replace function cagg._from_alone(p_shape jsonb) returns text
language sql immutable as $$
  select case when relation.rest = '' or not exists (
      select from cagg._tokens(p_shape #>> '{bucket,flat}') as t join cagg._tokens(p_shape #>> '{bucket,flat}') as dot on dot.n = t.n + 1
      where dot.token = '.' and t.token not in ('cagg', relation.alias))
    then 'new_rows ' || relation.alias else p_shape ->> 'from_new' end
  from cagg._first_relation(p_shape ->> 'from') as relation
$$;

-- The roots of a source's trees. Those of an older engine are about to be built again.
create or replace function cagg._roots(p_source text) returns setof cagg._aggregates
language sql stable as $$
  select * from cagg._aggregates
  where source = p_source and parent is null and (shape ->> 'version')::integer = cagg._shape_version() order by id
$$;

-- The body of a source's trigger function for one event, or of the functions that fold its tail and tell what waits in it.
create or replace function cagg._trigger_body(p_source text, p_event text) returns text
language plpgsql stable as $$
declare
  v_root cagg._aggregates; v_this cagg._aggregates;
  v_body text := '';
begin
  if p_event = 'truncate' then
    -- Nobody else is folding what waits.
    v_body := format(E'perform pg_advisory_xact_lock(hashtext(''cagg.tail''), hashtext(%L));\nperform %s();\nperform set_config(''cagg.truncating'', '''', true);\n', p_source, cagg._fold_function(p_source, 'tail'));
  elsif p_event = 'waiting' then
    return cagg._waiting_sql(p_source);
  else
    if p_event <> 'tail' then v_body := format(E'if tg_nargs > 0 and pg_partition_root(tg_relid) is distinct from %L::regclass then return null; end if;\n', p_source); end if;
    if p_event = 'insert' then v_body := v_body || coalesce(cagg._append_sql(p_source), ''); end if;
    v_body := v_body || E'v_slot := cagg._take_slot();\n' || cagg._fold_sql(p_source, p_event);
  end if;
  for v_root in select * from cagg._roots(p_source) loop
    for v_this in select * from cagg._tree(v_root.id) loop
      if p_event = 'truncate' then
        v_body := v_body || cagg._log_stored(v_this, cagg._not_dropped(v_this), true) || E';\n';
        v_body := v_body || format(E'delete from %s where %s;\n', cagg._store(v_this), cagg._not_dropped(v_this));
      elsif p_event in ('update', 'delete') and not cagg._is_additive(v_this.shape) then
        v_body := v_body || cagg._spoil_sql(v_this, p_event) || E';\n';
      end if;
    end loop;
  end loop;
  return v_body;
end $$;

-- The condition under which a bucket's raw rows are all still there. Rows of any age may have been in a bucket of integers.
create or replace function cagg._not_dropped(p_this cagg._aggregates, p_bucket text default 'bucket') returns text
language sql stable as $$
  select case when cagg._is_timed(p_this.shape)
    then format('%s >= coalesce((select dropped_before from cagg._policies where relation = %L), ''-infinity'')::%s',
      p_bucket, p_this.source, p_this.shape #>> '{bucket,type}')
    else format('not exists (select from cagg._policies where relation = %L and isfinite(dropped_before))', p_this.source) end
$$;

-- A slot for this transaction that no other under way has: the first whose lock is free.
create or replace function cagg._take_slot() returns integer
language plpgsql as $$
declare
  v_slot integer := 0;
begin
  while not pg_try_advisory_xact_lock(hashtext('cagg.slot'), v_slot) loop v_slot := v_slot + 1; end loop;
  return v_slot;
end $$;

-- (Re)writes the trigger functions of a source, and what reads the change log; a source without aggregates loses them, and its tail.
create or replace function cagg._install_triggers(p_source text) returns void
language plpgsql as $$
declare
  v_event text; v_function text; v_body text; v_returns text;
  v_tables jsonb := '{"insert": "referencing new table as new_rows", "update": "referencing old table as old_rows new table as new_rows",
    "delete": "referencing old table as old_rows", "truncate": ""}';
begin
  foreach v_event in array array['tail', 'waiting', 'insert', 'update', 'delete', 'truncate'] loop
    v_function := cagg._fold_function(p_source, v_event);
    if exists (select from cagg._roots(p_source)) then
      v_body := format(E'\n-- The fold of %s: %s. Written by cagg._install_triggers.\ndeclare\nv_slot integer;\nv_rows bigint;\nbegin\n%s%send ',
        p_source, v_event, cagg._trigger_body(p_source, v_event), case when v_tables ? v_event then E'return null;\n' else '' end);
      continue when exists (
        select from pg_catalog.pg_proc as f where f.oid = to_regprocedure(v_function || '()') and f.prosrc = v_body)
        and (not v_tables ? v_event or exists (
          select from pg_catalog.pg_trigger where tgrelid = p_source::regclass and tgname = 'cagg_' || v_event));
      v_returns := case v_event when 'tail' then 'void' when 'waiting' then 'setof cagg._changes stable' else 'trigger' end;
      -- One plan a session: five plans to measure, which PostgreSQL makes first, take longer here than most sessions' folds.
      execute format(E'create or replace function %s() returns %s language plpgsql %s set plan_cache_mode = force_generic_plan as $fold$%s$fold$',
        v_function, v_returns, cagg._by_owner(), v_body);
      continue when not v_tables ? v_event;
      execute format('create or replace trigger %I after %s on %s %s for each statement execute function %s()',
        'cagg_' || v_event, v_event, p_source, v_tables ->> v_event, v_function);
    else
      perform cagg._drop_triggers(v_function, null);
      execute format('drop function if exists %s()', v_function);
    end if;
  end loop;
  perform cagg._cover_partitions(p_source);
  if not exists (select from cagg._aggregates where source = p_source) then
    execute format('drop table if exists %s', cagg._tail(p_source));
  end if;
  perform cagg._install_changes();
end $$;
