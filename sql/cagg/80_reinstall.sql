-- The end of an installation: private functions of an older engine go, aggregates that it kept otherwise are built again,
-- and trigger functions that this one writes otherwise are written again; what is unchanged is left alone.
do $$
declare
  v_function regprocedure;
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
end $$;
reset check_function_bodies;

do $$
declare
  v_old cagg._aggregates[] := array(
    select a from cagg._aggregates as a where ready and (shape ->> 'version')::integer is distinct from cagg._shape_version() order by id);
  v_this cagg._aggregates;
begin
  perform cagg._discard_builds();
  foreach v_this in array v_old loop
    if exists (select from cagg._aggregates where id = v_this.id) then
      perform cagg.drop_continuous_aggregate(cagg._view(v_this), true);
    end if;
  end loop;
  foreach v_this in array v_old loop
    raise notice 'the engine keeps % otherwise now: it is built again', cagg._view(v_this);
    perform cagg.create_continuous_aggregate(cagg._view(v_this), v_this.definition, v_this.options);
  end loop;
end $$;

select cagg._install_triggers(source) from (select distinct source from cagg._aggregates) as sources;
