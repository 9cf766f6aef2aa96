-- Retention, and partitions made ahead. cagg.run_maintenance() does all of it, from as many processes as like to call it.

-- Only days of time can be made ahead and dropped.
create or replace function cagg._check_partitioned_by_time(p_relation regclass) returns void
language plpgsql as $$
begin
  if not exists (
    select from pg_catalog.pg_partitioned_table as p join pg_catalog.pg_attribute as a on a.attrelid = partrelid and a.attnum = partattrs[0]
    where partrelid = p_relation and partstrat = 'r' and partnatts = 1
      and a.atttypid in ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype))
  then
    raise exception '% is not partitioned by range of a time column', p_relation using errcode = '42809',
      hint = 'Partition it by one column of type timestamptz, timestamp or date, a day a partition.';
  end if;
end $$;

-- Day partitions (UTC) of a table partitioned by range of a time column, from the day of p_first to the day of p_last.
create or replace function cagg.ensure_partitions(relation regclass, first timestamptz, last timestamptz) returns integer
language plpgsql set timezone = 'UTC' as $$
declare
  v_schema text; v_table text; v_day date; v_name text; v_made integer := 0;
begin
  perform cagg._check_partitioned_by_time(relation);
  select nspname, relname into v_schema, v_table
  from pg_catalog.pg_class as c join pg_catalog.pg_namespace as n on n.oid = c.relnamespace where c.oid = relation;
  for v_day in select generate_series(first::date, last::date, interval '1 day')::date loop
    v_name := format('%I.%I', v_schema, cagg._name(v_table, to_char(v_day, '"_p"YYYYMMDD')));
    continue when to_regclass(v_name) is not null;
    perform pg_advisory_xact_lock(hashtext('cagg.partitions'), relation::oid::integer);
    continue when to_regclass(v_name) is not null;
    -- Attached rather than created as a partition: that would lock out every reader of the table.
    execute format('create table %s (like %s including defaults including constraints including generated)', v_name, relation);
    if exists (select from cagg._roots(format('%I.%I', v_schema, v_table))) then
      perform cagg._cover(format('%I.%I', v_schema, v_table), v_name::regclass);
    end if;
    execute format('alter table %s attach partition %s for values from (%L) to (%L)', relation, v_name, v_day::timestamptz, (v_day + 1)::timestamptz);
    v_made := v_made + 1;
  end loop;
  return v_made;
end $$;

-- Raw rows: day partitions wholly older than drop_after are dropped; what aggregates hold of them stays.
-- An aggregate: its buckets older than drop_after are dropped.
create or replace function cagg.add_retention_policy(relation text, drop_after interval) returns void
language plpgsql as $$
#variable_conflict use_variable
declare
  v_name text[] := cagg._qualified(relation);
begin
  if drop_after is null or drop_after <= interval '0' then
    raise exception 'drop_after must be longer than nothing, got %', drop_after using errcode = '22023',
      hint = 'Give an interval such as ''30 days''; cagg.remove_retention_policy(relation) keeps all.';
  end if;
  update cagg._aggregates as a set options = options || jsonb_build_object('retention', drop_after::text)
  where a.view_schema = v_name[1] and a.view_name = v_name[2] and a.ready;
  if found then
    perform cagg._check_retention((cagg._find(relation)).shape);
    execute replace(cagg._view_sql(cagg._find(relation)), 'create view', 'create or replace view');
    perform cagg._install_triggers((cagg._find(relation)).source);
  elsif to_regclass(relation) is not null then
    perform cagg._check_partitioned_by_time(relation::regclass);
    insert into cagg._policies as p (relation, drop_after) values (format('%I.%I', v_name[1], v_name[2]), drop_after)
    on conflict on constraint _policies_pkey do update set drop_after = excluded.drop_after;
  else
    raise exception 'there is neither a continuous aggregate nor a table %', relation using errcode = '42P01',
      hint = 'Name a continuous aggregate, or a table that is partitioned by range of its time column, by day.';
  end if;
end $$;

create or replace function cagg.remove_retention_policy(relation text) returns void
language plpgsql as $$
#variable_conflict use_variable
declare
  v_name text[] := cagg._qualified(relation);
begin
  delete from cagg._policies as p where p.relation = format('%I.%I', v_name[1], v_name[2]);
  update cagg._aggregates as a set options = options - 'retention' where a.view_schema = v_name[1] and a.view_name = v_name[2] and a.ready;
  if found then
    -- What was dropped stays dropped.
    execute replace(cagg._view_sql(cagg._find(relation)), 'create view', 'create or replace view');
    perform cagg._install_triggers((cagg._find(relation)).source);
  end if;
end $$;

-- Change lines older than p_kept go, by whole transactions that no snapshot still waits for; cursors that reach back to
-- them expire. So do lines of the database that this one was restored from, whose transactions are still to come here.
create or replace function cagg._trim_changes(p_kept interval) returns void
language sql as $$
  with gone as (
    delete from cagg._changes
    where written_at <= clock_timestamp() - p_kept and (xid < pg_snapshot_xmin(pg_current_snapshot()) or xid >= pg_snapshot_xmax(pg_current_snapshot()))
    returning xid
  )
  insert into cagg._trimmed (xid) select xid from gone where xid < pg_snapshot_xmin(pg_current_snapshot()) order by xid desc limit 1
  on conflict (only_row) do update
  set xid = greatest(excluded.xid, case when cagg._trimmed.xid < pg_snapshot_xmax(pg_current_snapshot()) then cagg._trimmed.xid end)
$$;

-- Drops the partitions that a policy lets go; before, what only their rows can tell is told for the last time. Dropping locks
-- out everyone: rather than let writers queue behind a long transaction, it is left for the next time (lock_not_available).
-- Answers whether the table is locked now.
create or replace function cagg._drop_partitions(p_policy cagg._policies) returns boolean
language plpgsql set timezone = 'UTC' set lock_timeout = '300ms' as $$
declare
  v_partition record; v_this cagg._aggregates; v_locked boolean := false;
begin
  for v_partition in
    select c.oid::regclass as name, (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''([^'']+)''\)'))[1]::timestamptz as upper
    from pg_catalog.pg_inherits as i join pg_catalog.pg_class as c on c.oid = i.inhrelid
    where i.inhparent = p_policy.relation::regclass and pg_get_expr(c.relpartbound, c.oid) like '% TO (''%'
    order by 2
  loop
    exit when v_partition.upper > date_trunc('day', now() - p_policy.drop_after);
    if not v_locked then
      execute format('lock table %s in access exclusive mode', p_policy.relation);
      for v_this in select * from cagg._aggregates where ready and source = p_policy.relation and not cagg._is_additive(shape) order by id loop
        perform cagg._clean(v_this);
      end loop;
      v_locked := true;
    end if;
    update cagg._policies set dropped_before = greatest(dropped_before, v_partition.upper) where relation = p_policy.relation;
    execute format('drop table %s', v_partition.name);
  end loop;
  return v_locked;
exception when lock_not_available then
  raise log 'partitions of % are dropped later: it is in use', p_policy.relation using errcode = '55P03';
  return false;
end $$;

-- Gives partitions made by others their triggers, makes those for the next three days, drops what retention says, folds the tails,
-- computes spoiled groups, compacts sketches, sweeps emptied groups, trims the change log to an hour.
-- One process at a time does it; the others return false at once. Partitions come first: what waits for the whole table must
-- not yet hold rows that its writers wait for. Nor do writers wait for the rest: a call that dropped partitions leaves that to the next.
create or replace function cagg.run_maintenance() returns boolean
language plpgsql set timezone = 'UTC' as $$
declare
  v_policy cagg._policies; v_this cagg._aggregates; v_before timestamptz; v_locked boolean := false;
begin
  if not pg_try_advisory_xact_lock(hashtext('cagg.maintenance')) then return false; end if;

  perform cagg._cover_partitions(source) from (
    select distinct source from cagg._aggregates where to_regclass(source) is not null order by 1) as sources;
  for v_policy in select * from cagg._policies where to_regclass(relation) is not null order by relation loop
    perform cagg.ensure_partitions(v_policy.relation::regclass, now(), now() + interval '3 days');
    v_locked := cagg._drop_partitions(v_policy) or v_locked;
  end loop;
  if v_locked then return true; end if;

  for v_this in select * from cagg._aggregates where ready and options ? 'retention' order by id loop
    execute format('select cagg.time_bucket(%s, $1 - $2)', v_this.shape #>> '{bucket,width}')
      into v_before using now(), (v_this.options ->> 'retention')::interval;
    if v_before > v_this.retained_from then
      update cagg._aggregates set retained_from = v_before where id = v_this.id;
      execute format('delete from %s where bucket < $1::%s', cagg._store(v_this), v_this.shape #>> '{bucket,type}') using v_before;
    end if;
  end loop;

  perform cagg._fold_tail(source) from (select distinct source from cagg._aggregates order by 1) as sources;
  -- Writers may wait for what is clean: whoever waited for a writer, too, a second later, would make a deadlock of it.
  for v_this in select * from cagg._aggregates as a where ready and not cagg._is_additive(a.shape) and to_regclass(source) is not null order by id loop
    perform cagg._clean(v_this, now() + interval '500 ms');
  end loop;
  for v_this in select * from cagg._aggregates as a where ready and cagg._has_sketch(a.shape) order by id loop
    -- Not while a truncate makes an end of it.
    if pg_try_advisory_xact_lock_shared(hashtext('cagg.tail'), hashtext(v_this.source)) then execute cagg._compact_sql(v_this); end if;
  end loop;

  for v_this in select * from cagg._aggregates where ready order by id loop
    execute cagg._sweep_sql(v_this);
  end loop;
  perform cagg._trim_changes(interval '1 hour');
  return true;
end $$;
