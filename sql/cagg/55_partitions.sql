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
-- partitions, too: there the source's own trigger empties the aggregates.
create or replace function cagg._before_truncate() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if tg_nargs = 0 then
    perform set_config('cagg.truncating', tg_relid::text, true);
  elsif pg_partition_root(tg_relid)::oid::text <> coalesce(current_setting('cagg.truncating', true), '') then
    execute format('delete from %s', tg_relid::regclass);
  end if;
  return null;
end $$;

-- A trigger that is disabled and does nothing. A MERGE on a partitioned table hands a wrong transition table to its update trigger once
-- it has inserted a row: for each row updated later, the row inserted last (PostgreSQL 15 to 18 at least). It keeps that row at hand
-- only while no partition has a BEFORE trigger for rows, be it disabled.
create or replace function cagg._keep() returns trigger
language plpgsql as $$ begin return new; end $$;

-- Gives the partitions that have none their triggers; one that is in use gets them the next time. Without aggregates on the
-- source, all lose them.
create or replace function cagg._cover_partitions(p_source text) returns void
language plpgsql set lock_timeout = '300ms' as $$
declare
  v_table record;
begin
  if not exists (select from cagg._roots(p_source)) then
    perform cagg._drop_triggers('cagg._before_truncate', p_source), cagg._drop_triggers('cagg._keep', p_source);
    return;
  end if;
  for v_table in
    select relid, parentrelid is null as is_source from pg_partition_tree(p_source) as t
    where not exists (select from pg_catalog.pg_trigger where tgrelid = t.relid and tgfoid = 'cagg._before_truncate()'::regprocedure)
  loop
    if v_table.is_source then
      execute format('create trigger cagg_before_truncate before truncate on %1$s for each statement execute function cagg._before_truncate();'
        'create or replace trigger cagg_merge before insert on %1$s for each row execute function cagg._keep(); alter table %1$s disable trigger cagg_merge', p_source);
    else
      perform cagg._cover(p_source, v_table.relid);
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
