-- Changing definitions without stopping writers or readers. Two connections do it together (server/db/views.ts):
--
--   1 lock the sources for a moment, make the new tables, let the triggers fold into them, too    cagg._begin_build()
--   2 before 1 commits: take its snapshot, which sees all that those triggers do not
--   2 fill the new tables from that snapshot, for as long as it takes                              what _begin_build returned
--   1 lock the sources for a moment, let the views read the new tables, drop the old ones          cagg._finish_build()
--
-- The old views are exact until the end, the new ones from their first moment: a row was either there before the lock, and is
-- filled from the snapshot, or came after it, and was folded. Changes and removals of filled rows are folded, too, and add up
-- with them in whatever order; min, max and sketches of spoiled groups are not cleaned while they are filled.

-- While cagg.collecting is on, create_continuous_aggregate writes down what is wanted here, in reading order.
create or replace function cagg._collect(p_name text[], p_definition text, p_options jsonb) returns void
language sql as $$
  insert into cagg._wanted (view_schema, view_name, definition, options) values (p_name[1], p_name[2], p_definition, p_options - 'replace')
$$;

-- From here to the end of the transaction.
create or replace function cagg._begin_collecting() returns text
language sql as $$
  delete from cagg._wanted;
  select set_config('cagg.collecting', 'on', true)
$$;

-- The files that were run: those that are as they were need not run again.
create or replace function cagg._remember_file(p_file text, p_digest text, p_views text[]) returns void
language sql as $$
  insert into cagg._files (file, digest, views) values (p_file, p_digest, p_views)
  on conflict (file) do update set digest = excluded.digest, views = excluded.views
$$;

create or replace function cagg._forget_file(p_file text) returns void
language sql as $$ delete from cagg._files where file = p_file $$;

-- Whether an older engine keeps it otherwise.
create or replace function cagg._is_outdated(p_this cagg._aggregates) returns boolean
language sql immutable as $$ select (p_this.shape ->> 'version')::integer is distinct from cagg._shape_version() $$;

-- What of the collected is new or differs, what is outdated, and what is folded from such, in the order to build it.
create or replace function cagg._differing() returns setof cagg._wanted
language sql stable as $$
  with recursive wanted as (
    select w.*, a.id from cagg._wanted as w left join cagg._aggregates as a using (view_schema, view_name)
    where a.ready is not false
  ), replaced as (
    select a.id from cagg._aggregates as a left join wanted using (id)
    where a.ready and (cagg._is_outdated(a) and to_regclass(a.source) is not null or (a.definition, a.options) is distinct from (coalesce(wanted.definition, a.definition), coalesce(wanted.options, a.options)))
    union
    select a.id from replaced join cagg._aggregates as a on a.parent = replaced.id where a.ready
  )
  select view_schema, view_name, definition, options, n from wanted where id is null or id in (select id from replaced)
  union all
  -- Those that were made by hand follow in the order in which they were made.
  select a.view_schema, a.view_name, a.definition, a.options, 1000000 + a.id from cagg._aggregates as a
  where a.id in (select id from replaced) and a.id not in (select id from wanted where id is not null)
  order by 5
$$;

-- What an old aggregate holds of raw rows that retention has dropped, brought over to the new one; null if their groups differ. Any
-- bucket of integers may hold such: they come over as a whole, or not, if the old aggregate lacks a state.
create or replace function cagg._inherit_sql(p_old cagg._aggregates, p_new cagg._aggregates, p_before timestamptz) returns text
language sql stable as $$
  select format('insert into %s (bucket%s, slot, n%s) select bucket%s, -1, n%s from (%s) as kept where %s',
    cagg._store(p_new),
    cagg._list(new -> 'keys', ', %1$s', ''),
    cagg._list(new -> 'states', ', %1$s', ''),
    (select string_agg(', ' || (o ->> 'name'), '' order by n) from jsonb_array_elements(new -> 'keys') with ordinality as k (key, n)
      join jsonb_array_elements(old -> 'keys') as o on o ->> 'flat' = key ->> 'flat'),
    (select string_agg(', ' || coalesce(o ->> 'name', case s ->> 'kind' when 'add' then '0' else 'null' end), '' order by n)
      from jsonb_array_elements(new -> 'states') with ordinality as states (s, n)
      left join jsonb_array_elements(old -> 'states') as o on (o ->> 'flat', o ->> 'kind', o ->> 'type') = (s ->> 'flat', s ->> 'kind', s ->> 'type')),
    cagg._states_sql(p_old),
    case when cagg._is_timed(new) then format('bucket < %L::%s and %s', p_before, new #>> '{bucket,type}', cagg._retained_now(p_new)) else 'true' end)
  from (select p_old.shape as old, p_new.shape as new) as shapes
  where (old ->> 'from', old ->> 'where', old #>> '{bucket,flat}') is not distinct from (new ->> 'from', new ->> 'where', new #>> '{bucket,flat}')
    and array(select k ->> 'flat' from jsonb_array_elements(old -> 'keys') as k order by 1) = array(select k ->> 'flat' from jsonb_array_elements(new -> 'keys') as k order by 1)
    and (cagg._is_timed(new) or not exists (
      select from jsonb_array_elements(new -> 'states') as s where s ->> 'flat' not in (select o ->> 'flat' from jsonb_array_elements(old -> 'states') as o)))
$$;

-- The condition that a bucket is inside the retention, with the bound as it stands now.
create or replace function cagg._retained_now(p_this cagg._aggregates) returns text
language sql immutable as $$
  select case when isfinite(p_this.retained_from) then format('bucket >= %L::%s', p_this.retained_from, p_this.shape #>> '{bucket,type}') else 'true' end
$$;

-- Statements that fill a new aggregate from the snapshot in which its triggers were made.
create or replace function cagg._build_sql(p_old cagg._aggregates, p_new cagg._aggregates) returns text[]
language plpgsql as $$
declare
  v_before timestamptz := (select dropped_before from cagg._policies where relation = p_new.source and isfinite(dropped_before));
  v_kept text := case when v_before is not null then cagg._inherit_sql(p_old, p_new, v_before) end;
  v_filled text := case when v_kept is null then 'true' when not cagg._is_timed(p_new.shape) then 'false'
    else format('bucket >= %L::%s', v_before, p_new.shape #>> '{bucket,type}') end;
begin
  if v_before is not null and v_kept is null and p_old.id is not null then
    raise warning '% has other groups now: what it held of raw rows before %, which are gone, goes too', cagg._view(p_new), v_before using errcode = '01000';
  end if;
  -- A slot that no writer uses; the bound is written out, since that snapshot does not see it.
  return array_remove(array[v_kept, replace(cagg._fill_sql(p_new, v_filled, null, '-1'), cagg._retained(p_new), cagg._retained_now(p_new))], null);
end $$;

-- Takes back what a build that was not finished left.
create or replace function cagg._discard_builds() returns void
language plpgsql as $$
declare
  v_gone cagg._aggregates[] := array(select a from cagg._aggregates as a where not ready order by id desc);
  v_source text; v_this cagg._aggregates;
begin
  perform pg_advisory_xact_lock(hashtext('cagg.define')), pg_advisory_xact_lock(hashtext('cagg.maintenance'));
  for v_source in select distinct (a).source from unnest(v_gone) as a order by 1 loop
    perform cagg._lock_source(v_source);
  end loop;
  delete from cagg._aggregates where not ready;
  for v_source in select distinct (a).source from unnest(v_gone) as a order by 1 loop
    perform cagg._renew_triggers(v_source);
  end loop;
  foreach v_this in array v_gone loop
    perform cagg._drop_store(v_this);
  end loop;
end $$;

-- Makes what differs from the collected, unfilled, beside what is there. Returns, in order, the statements that fill it.
create or replace function cagg._begin_build() returns table (view_name text, source text, fill text[])
language plpgsql set timezone = 'UTC' set datestyle = 'ISO' set intervalstyle = 'postgres' set extra_float_digits = 1
set client_min_messages = warning as $$
#variable_conflict use_column
declare
  v_wanted cagg._wanted[];
  v_old cagg._aggregates[]; v_new cagg._aggregates[];
  v_one cagg._wanted; v_this cagg._aggregates;
begin
  perform cagg._discard_builds();
  perform set_config('cagg.collecting', 'off', true);
  v_wanted := array(select w from cagg._differing() as w);
  v_old := array(select a from cagg._aggregates as a join unnest(v_wanted) as w using (view_schema, view_name) order by a.id);
  -- Under the names of the old ones, so that the new ones are read as they are written; they swap again below.
  update cagg._aggregates set ready = false where id in (select (o).id from unnest(v_old) as o);
  foreach v_this in array v_old loop
    execute format('alter view %s rename to %I', cagg._view(v_this), '_replaced_' || v_this.id);
  end loop;
  foreach v_one in array v_wanted loop
    perform cagg._create(array[v_one.view_schema, v_one.view_name], v_one.definition, v_one.options, false);
  end loop;
  v_new := array(select a from cagg._aggregates as a join unnest(v_wanted) as w using (view_schema, view_name) where ready order by a.id);
  foreach v_this in array v_new loop
    execute format('drop view %s', cagg._view(v_this));
  end loop;
  foreach v_this in array v_old loop
    execute format('alter view %I.%I rename to %I', v_this.view_schema, '_replaced_' || v_this.id, v_this.view_name);
  end loop;
  update cagg._aggregates set ready = false where id in (select (n).id from unnest(v_new) as n);
  update cagg._aggregates set ready = true where id in (select (o).id from unnest(v_old) as o);
  for source in select distinct (n).source from unnest(v_new) as n order by 1 loop
    perform cagg._install_triggers(source);
  end loop;
  foreach v_this in array v_new loop
    view_name := cagg._view(v_this);
    source := v_this.source;
    fill := cagg._build_sql((select o from unnest(v_old) as o where cagg._view(o) = cagg._view(v_this)), v_this);
    return next;
  end loop;
end $$;

-- A view under its name, with another definition: replaced in place where its columns allow it, so that grants and what reads it
-- stay; else dropped and made again, with its grants.
create or replace function cagg._replace_view(p_this cagg._aggregates) returns void
language plpgsql as $$
declare
  v_view text := cagg._view(p_this);
  v_grants text := (
    select string_agg(format('grant %s on %s to %s', privilege_type, v_view, case grantee when 0 then 'public' else grantee::regrole::text end), '; ')
    from pg_catalog.pg_class, aclexplode(relacl) where oid = to_regclass(v_view) and grantee <> relowner);
begin
  begin
    execute replace(cagg._view_sql(p_this), 'create view', 'create or replace view');
  exception when invalid_table_definition then
    execute format('drop view %s cascade', v_view);
    execute cagg._view_sql(p_this);
    if v_grants is not null then execute v_grants; end if;
  end;
end $$;

-- Lets the views read what is filled now, and drops what they read before.
create or replace function cagg._finish_build() returns void
language plpgsql as $$
declare
  v_new cagg._aggregates[]; v_old cagg._aggregates[];
  v_source text; v_this cagg._aggregates;
begin
  perform pg_advisory_xact_lock(hashtext('cagg.define')), pg_advisory_xact_lock(hashtext('cagg.maintenance'));
  v_new := array(select a from cagg._aggregates as a where not ready order by id);
  v_old := array(select a from cagg._aggregates as a where ready and exists (select from unnest(v_new) as n where cagg._view(n) = cagg._view(a)) order by id desc);
  for v_source in select distinct (a).source from unnest(v_new || v_old) as a order by 1 loop
    perform cagg._lock_source(v_source);
  end loop;
  delete from cagg._aggregates where id in (select (o).id from unnest(v_old) as o);
  update cagg._aggregates set ready = true where not ready;
  foreach v_this in array v_new loop
    v_this.ready := true;
    perform cagg._replace_view(v_this);
    execute cagg._log_stored(v_this, 'true');
  end loop;
  for v_source in select distinct (a).source from unnest(v_new || v_old) as a order by 1 loop
    perform cagg._renew_triggers(v_source);
  end loop;
  foreach v_this in array v_old loop
    perform cagg._drop_store(v_this);
  end loop;
end $$;

-- What an older engine keeps otherwise, built again in one transaction: its trigger functions cannot fold beside those of this one, so
-- writers wait. What it holds of raw rows that are gone is brought over, and its views stay, with grants and with what reads them.
create or replace function cagg._build_outdated() returns void
language plpgsql set timezone = 'UTC' set datestyle = 'ISO' set intervalstyle = 'postgres' set extra_float_digits = 1 as $$
declare
  v_source text; v_view text; v_fill text[]; v_statement text;
begin
  delete from cagg._wanted;
  for v_source in select distinct source from cagg._aggregates as a where cagg._is_outdated(a) and to_regclass(source) is not null order by 1 loop
    execute format('lock table %s in share row exclusive mode', v_source);
    perform cagg._fold_tail(v_source);
  end loop;
  for v_view, v_fill in select view_name, fill from cagg._begin_build() loop
    raise notice 'the engine keeps % otherwise now: it is built again', v_view;
    foreach v_statement in array v_fill loop execute v_statement; end loop;
  end loop;
  perform cagg._finish_build();
end $$;
