-- The end of an installation: aggregates that an older engine kept otherwise are built again, its private functions and its tails go,
-- and functions that this one writes otherwise are written again, and what it did not hold is held; what is unchanged is left alone.
reset check_function_bodies;
select cagg._build_outdated();

do $$
declare
  v_function regprocedure; v_tail regclass;
begin
  for v_function in
    select oid from pg_catalog.pg_proc
    where pronamespace = 'cagg'::regnamespace and proname like '\_%' and prokind = 'f'
      and age(xmin) > age(current_setting('cagg.installing')::xid)
  loop
    begin
      execute format('drop function %s', v_function);
    exception when dependent_objects_still_exist then
      null; -- someone's own view uses it
    end;
  end loop;
  for v_tail in
    select oid from pg_catalog.pg_class
    where relnamespace = 'cagg_data'::regnamespace and relname like 'tail\_%' and not exists (
      select from cagg._aggregates where to_regclass(cagg._tail(source)) = pg_class.oid)
  loop
    begin
      execute format('drop table %s', v_tail);
    exception when dependent_objects_still_exist then
      null; -- an aggregate whose source is gone reads it
    end;
  end loop;
end $$;

do $$
declare
  v_root cagg._aggregates;
begin
  for v_root in select * from cagg._aggregates as a where parent is null and to_regclass(source) is not null and to_regclass(cagg._held(a)) is null loop
    begin
      perform cagg._hold(v_root);
    exception when undefined_column or undefined_table then
      raise warning '% uses what is gone: %', cagg._view(v_root), sqlerrm using errcode = '01000',
        hint = 'Drop it and create it again: writes to its source fail.';
    end;
  end loop;
end $$;

select cagg._leave_unanalyzed(a) from cagg._aggregates as a;
select cagg._write_fresh(a) from cagg._aggregates as a where not cagg._is_additive(shape) and to_regclass(source) is not null;
select cagg._renew_triggers(source) from (select distinct source from cagg._aggregates) as sources;
