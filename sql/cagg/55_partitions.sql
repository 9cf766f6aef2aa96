-- Statements straight into a partition fire its own triggers, not those of the table it belongs to: so each partition has them, too,
-- with the same functions. A partition that was detached keeps them, and they do nothing there.

-- The triggers of a partition. They have an argument, by which the functions know that they are not at the source itself.
create or replace function cagg._cover(p_source text, p_partition regclass) returns void
language plpgsql as $$
declare
  v_event text;
  v_tables jsonb := '{"insert": "new table as new_rows", "update": "old table as old_rows new table as new_rows", "delete": "old table as old_rows"}';
begin
  for v_event in select jsonb_object_keys(v_tables) loop
    execute format('create or replace trigger %I after %s on %s referencing %s for each statement execute function %s(''partition'')',
      'cagg_partition_' || v_event, v_event, p_partition, v_tables ->> v_event, cagg._fold_function(p_source, v_event));
  end loop;
  execute format('create or replace trigger cagg_partition_truncate before truncate on %s for each statement execute function cagg._before_truncate(''partition'')', p_partition);
end $$;

-- Truncating one partition is a delete of its rows, so that the others' stay folded. Truncating the whole table fires the triggers of its
-- partitions, too: there the source's own trigger empties the aggregates, but for buckets of which retention has dropped rows: what
-- rows are left in those are deleted.
create or replace function cagg._before_truncate() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_this cagg._aggregates;
begin
  if tg_nargs = 0 then
    perform set_config('cagg.truncating', tg_relid::text, true);
    for v_this in
      select a.* from cagg._aggregates as a join cagg._policies on relation = source where to_regclass(source) = tg_relid and isfinite(dropped_before)
    loop
      execute cagg._delete_sql(v_this, format('not (%s)', cagg._not_dropped(v_this, v_this.shape #>> '{bucket,flat}')));
    end loop;
  elsif pg_partition_root(tg_relid)::oid::text <> coalesce(current_setting('cagg.truncating', true), '') then
    execute format('delete from %s', tg_relid::regclass);
  end if;
  return null;
end $$;

-- Deletes the rows of a source whose buckets meet a condition.
create or replace function cagg._delete_sql(p_this cagg._aggregates, p_condition text) returns text
language sql stable as $$
  select format('delete from %1$s as t using (select %2$s.tableoid, %2$s.ctid from %3$s where %4$s and %5$s) as gone where t.tableoid = gone.tableoid and t.ctid = gone.ctid',
    relation, alias, p_this.shape ->> 'from', p_this.shape ->> 'where', p_condition)
  from cagg._first_relation(p_this.shape ->> 'from')
$$;

-- A trigger that is disabled and does nothing. A MERGE on a partitioned table hands a wrong transition table to its update trigger once
-- it has inserted a row: for each row updated later, the row inserted last (PostgreSQL 15 to 18 at least). It keeps that row at hand
-- only while no partition has a BEFORE trigger for rows, be it disabled.
create or replace function cagg._keep() returns trigger
language plpgsql as $$ begin return new; end $$;

-- What a partition came with when it was attached, and what was written straight into it before it had triggers, no aggregate knows of.
-- So the buckets of its rows are compared, and built again where they differ, level by level. Not where an aggregate holds more rows
-- than are there: those went with another partition, and stay in it.
create or replace function cagg._catch_up(p_source text, p_partition regclass) returns void
language plpgsql set timezone = 'UTC' set datestyle = 'ISO' as $$
declare
  v_root cagg._aggregates; v_this cagg._aggregates;
  v_first text; v_end text; v_differs boolean; v_holds_more boolean;
begin
  for v_root in select * from cagg._roots(p_source) where ready loop
    for v_this in select * from cagg._tree(v_root.id) loop
      execute format('select min(bucket)::text, (max(bucket) + %s)::text from (%s) as groups', v_this.shape #>> '{bucket,width}',
        cagg._select_raw(v_this, p_partition::text || substr(v_this.shape ->> 'from_new', length('new_rows') + 1), 1)) into v_first, v_end;
      continue when v_first is null;
      execute cagg._compare_sql(v_this, v_first, v_end) into v_differs, v_holds_more;
      -- What is folded from an exact root is exact.
      exit when v_this.id = v_root.id and not v_differs;
      if v_holds_more then
        raise warning '% holds other rows of the time of partition %, and not all of its', cagg._view(v_this), p_partition using errcode = '01000',
          hint = 'cagg.refresh_continuous_aggregate(view_name, from, to) builds it from the rows that are there, and no others.';
      else
        perform cagg._refresh(cagg._view(v_this), v_first, v_end);
      end if;
    end loop;
  end loop;
end $$;

-- Whether what an aggregate holds of a window is not what the source has, and whether it holds more rows of any bucket.
create or replace function cagg._compare_sql(p_this cagg._aggregates, p_start text, p_end text) returns text
language sql stable as $$
  select format('with known as (select %1$s from (%2$s) as groups where %3$s), there as (select %1$s from (%4$s) as groups where %3$s) '
    'select exists ((table known except table there) union all (table there except table known)), exists ('
    'select from (select bucket, sum(n) as n from known group by 1) as k left join (select bucket, sum(n) as n from there group by 1) as t using (bucket) where k.n > coalesce(t.n, 0))',
    'bucket' || cagg._list(s -> 'keys', ', %1$s', '') || ', n' || cagg._by_kind(s -> 'states', ', %1$s', ', %1$s', ', %1$s',
      ', coalesce(cagg._sketch(%1$s), ''{}'')', ', coalesce(%1$s, ''{}'')'),
    cagg._states_sql(p_this),
    cagg._inside(p_this, 'bucket', p_start, p_end),
    cagg._select_raw(p_this, s ->> 'from', 1, true, cagg._rows_inside(p_this, p_start, p_end)))
  from (select p_this.shape as s) as shape
$$;

-- Gives the partitions that have none their triggers; one that is in use gets them the next time. Without aggregates on the
-- source, all lose them.
create or replace function cagg._cover_partitions(p_source text) returns void
language plpgsql set lock_timeout = '300ms' as $$
declare
  v_table record;
  v_was_covered boolean := exists (
    select from pg_catalog.pg_trigger where tgrelid = to_regclass(p_source) and tgfoid = 'cagg._before_truncate()'::regprocedure);
begin
  if not exists (select from cagg._roots(p_source)) then
    perform cagg._drop_triggers('cagg._before_truncate', p_source), cagg._drop_triggers('cagg._keep', p_source);
    return;
  end if;
  for v_table in
    select relid, isleaf, parentrelid is null as is_source from pg_partition_tree(p_source) as t
    where not exists (select from pg_catalog.pg_trigger where tgrelid = t.relid and tgfoid = 'cagg._before_truncate()'::regprocedure)
  loop
    if v_table.is_source then
      execute format('create trigger cagg_before_truncate before truncate on %1$s for each statement execute function cagg._before_truncate();'
        'create or replace trigger cagg_merge before insert on %1$s for each row execute function cagg._keep(); alter table %1$s disable trigger cagg_merge', p_source);
    else
      perform cagg._cover(p_source, v_table.relid);
      if v_table.isleaf and v_was_covered then perform cagg._catch_up(p_source, v_table.relid); end if;
    end if;
  end loop;
exception when lock_not_available then
  raise log 'partitions of % get their triggers later: one is in use', p_source using errcode = '55P03';
end $$;

-- Drops the triggers that call a function: everywhere, or on a table and its partitions.
create or replace function cagg._drop_triggers(p_function text, p_table text) returns void
language plpgsql as $$
declare
  v_trigger record;
begin
  for v_trigger in
    select tgname, tgrelid::regclass as relation from pg_catalog.pg_trigger
    where tgfoid = to_regprocedure(p_function || '()') and tgparentid = 0 and (p_table is null or tgrelid = to_regclass(p_table)
      or tgrelid in (select relid from pg_partition_tree(to_regclass(p_table))))
  loop
    execute format('drop trigger %I on %s', v_trigger.tgname, v_trigger.relation);
  end loop;
end $$;
