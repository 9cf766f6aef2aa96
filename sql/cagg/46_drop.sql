-- Dropping. A source may be gone, by a drop with cascade: its aggregates stay as they were until they are dropped, too.

-- Locks writers of a source out, if it is there.
create or replace function cagg._lock_source(p_source text) returns void
language plpgsql as $$
begin
  if to_regclass(p_source) is not null then execute format('lock table %s in share row exclusive mode', p_source); end if;
end $$;

-- Drops the states, with the function that computes a group of them, and the view that holds what they use.
create or replace function cagg._drop_store(p_this cagg._aggregates) returns void
language plpgsql set client_min_messages = warning as $$
begin
  execute format('drop table if exists %s cascade', cagg._store(p_this));
end $$;

-- Writes a source's triggers anew. One that is gone, and leaves aggregates, has none to write.
create or replace function cagg._renew_triggers(p_source text) returns void
language plpgsql as $$
begin
  if to_regclass(p_source) is null and exists (select from cagg._roots(p_source)) then
    perform cagg._install_changes();
  else
    perform cagg._install_triggers(p_source);
  end if;
end $$;

-- Drops a continuous aggregate and its states. Refuses while another one is folded from it, unless cascade.
create or replace function cagg.drop_continuous_aggregate(view_name text, "cascade" boolean default false) returns void
language plpgsql as $$
declare
  v_this cagg._aggregates := cagg._find(view_name);
  v_other cagg._aggregates;
begin
  perform pg_advisory_xact_lock(hashtext('cagg.define'));
  for v_other in select * from cagg._aggregates where parent = v_this.id loop
    if not "cascade" then
      raise exception 'continuous aggregate % is folded from %', cagg._view(v_other), view_name using errcode = '2BP01',
        hint = 'Drop that first, or call cagg.drop_continuous_aggregate(view_name, "cascade" => true).';
    end if;
    perform cagg.drop_continuous_aggregate(cagg._view(v_other), true);
  end loop;
  -- Maintenance holds no row of it; no writer is between reading the trigger function and writing the table that goes.
  perform pg_advisory_xact_lock(hashtext('cagg.maintenance'));
  perform cagg._lock_source(v_this.source);
  delete from cagg._aggregates where id = v_this.id;
  execute format('drop view if exists %s%s', cagg._view(v_this), case when "cascade" then ' cascade' else '' end);
  perform cagg._renew_triggers(v_this.source);
  perform cagg._drop_store(v_this);
end $$;
