-- What a reader asks: what exists, is it true, what changed.

-- When the last row came that waits in a source's tail.
create or replace function cagg._newest_waiting(p_source text) returns timestamptz
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_newest timestamptz;
begin
  if to_regclass(cagg._tail(p_source)) is not null then
    execute format('select max(cagg_at) from %s', cagg._tail(p_source)) into v_newest;
  end if;
  return v_newest;
end $$;

create or replace view cagg.continuous_aggregates as
with recursive ancestors (id, ancestor) as (
  select id, id from cagg._aggregates
  union all
  select path.id, a.parent from ancestors as path join cagg._aggregates as a on a.id = path.ancestor where a.parent is not null
)
select cagg._view(a) as view_name,
  case when p.id is null then a.source else cagg._view(p) end as source,
  a.source as raw_source,
  a.definition,
  regexp_replace(a.shape #>> '{bucket,width}', '^''(.*)''::.*$', '\1') as bucket_width,
  array(select k ->> 'column' from jsonb_array_elements(a.shape -> 'keys') with ordinality as keys (k, n) order by n) as group_keys,
  array(select c ->> 'column' from jsonb_array_elements(a.shape -> 'columns') with ordinality as columns (c, n)
    where c ? 'call' order by n) as aggregates,
  a.options,
  (a.options ->> 'retention')::interval as retention,
  a.retained_from,
  a.slots,
  pg_total_relation_size(store.oid) as size_bytes,
  a.created_at,
  -- Rows of states, slots counted apart, as of the last analyze; null: never yet.
  nullif(store.reltuples, -1)::bigint as rows_estimate,
  -- Within the hour that the change log keeps; null: not in that time.
  greatest((select max(written_at) from cagg._changes where aggregate in (select ancestor from ancestors where id = a.id)),
    cagg._newest_waiting(a.source)) as changed_at
from cagg._aggregates as a
left join cagg._aggregates as p on p.id = a.parent
left join pg_catalog.pg_class as store
  on store.relnamespace = 'cagg_data'::regnamespace and store.relname = cagg._name(a.view_name, '_' || a.id)::name
where a.ready;

create or replace view cagg.retention_policies as
select relation, drop_after, dropped_before from cagg._policies
union all
select view_name, retention, retained_from from cagg.continuous_aggregates where retention is not null;

grant select on cagg.continuous_aggregates, cagg.retention_policies to public;

-- The condition that a bucket lies wholly inside a window, its end exclusive, and has lost nothing to retention. null: open.
create or replace function cagg._inside(p_this cagg._aggregates, p_bucket text, p_start text, p_end text) returns text
language sql stable as $$
  select concat_ws(' and ', cagg._not_dropped(p_this, p_bucket), cagg._retained(p_this, p_bucket),
    format('%s >= ', p_bucket) || quote_literal(p_start) || '::' || type,
    format('%s + %s <= ', p_bucket, p_this.shape #>> '{bucket,width}') || quote_literal(p_end) || '::' || type)
  from (select p_this.shape #>> '{bucket,type}') as bucket (type)
$$;

-- What the rows of such buckets meet, for the index and the partitions of the source.
create or replace function cagg._rows_inside(p_this cagg._aggregates, p_start text, p_end text) returns text
language sql stable as $$
  select nullif(concat_ws(' and ', cagg._time_bound(p_this, '>=', quote_literal(p_start) || '::' || type), cagg._time_bound(p_this, '<', quote_literal(p_end) || '::' || type)), '')
  from (select p_this.shape #>> '{bucket,type}') as bucket (type)
$$;

-- Rows by which the view and its definition, run now on the raw rows, differ (both ways, repeats counted); 0 is the proof.
-- Buckets that have lost rows to retention, here or of the source, are left out: all, where they are of integers.
create or replace function cagg.drift(view_name text) returns bigint
language plpgsql stable set timezone = 'UTC' set datestyle = 'ISO' set intervalstyle = 'postgres' set extra_float_digits = 1 as $$
declare
  v_this cagg._aggregates := cagg._find(view_name);
  v_drift bigint;
begin
  execute format(
    'with view as materialized (select * from %1$s where %3$s), truth as materialized (select * from (%2$s) as definition where %3$s) '
    'select count(*) from ((table view except all table truth) union all (table truth except all table view)) as differing',
    cagg._view(v_this), cagg._truth_sql(v_this), cagg._inside(v_this, quote_ident(v_this.shape #>> '{bucket,column}'), null, null)) into v_drift;
  return v_drift;
end $$;

-- Builds the buckets that lie wholly inside the window again, from the source. NULL: open. The end is exclusive.
create or replace function cagg._refresh(p_view text, p_start text, p_end text) returns void
language plpgsql set timezone = 'UTC' set datestyle = 'ISO' set intervalstyle = 'postgres' set extra_float_digits = 1 as $$
declare
  v_this cagg._aggregates := cagg._find(p_view);
  v_inside text := cagg._inside(v_this, 'bucket', p_start, p_end);
begin
  if not cagg._is_timed(v_this.shape) and exists (select from cagg._policies where relation = v_this.source and isfinite(dropped_before)) then
    raise exception '% cannot be built again: its buckets hold rows that retention has dropped', p_view
      using errcode = '55000', hint = 'No bucket of integers tells how old its rows are, so all of them stay as they are.';
  end if;
  -- Not while maintenance holds rows of it; then no writer commits between what goes and what comes.
  perform pg_advisory_xact_lock(hashtext('cagg.maintenance'));
  execute format('lock table %s in share row exclusive mode', v_this.source);
  perform cagg._fold_tail(v_this.source);
  execute cagg._log_stored(v_this, v_inside);
  execute format('delete from %s where %s', cagg._store(v_this), v_inside);
  execute cagg._fill_sql(v_this, v_inside, cagg._rows_inside(v_this, p_start, p_end));
  execute cagg._log_stored(v_this, v_inside);
end $$;

-- An untyped NULL or literal lands here and is read as the bucket's own type.
create or replace function cagg.refresh_continuous_aggregate(view_name text, window_start text, window_end text) returns void
language sql as $$ select cagg._refresh(view_name, window_start, window_end) $$;

create or replace function cagg.refresh_continuous_aggregate(view_name text, window_start timestamptz, window_end timestamptz) returns void
language sql set timezone = 'UTC' as $$ select cagg._refresh(view_name, window_start::text, window_end::text) $$;

create or replace function cagg.refresh_continuous_aggregate(view_name text, window_start bigint, window_end bigint) returns void
language sql as $$ select cagg._refresh(view_name, window_start::text, window_end::text) $$;

-- The place this database's cursors belong to: transaction numbers mean nothing in another.
create or replace function cagg._epoch() returns text
language sql stable as $$
  select substr(md5(system_identifier::text || '/' || (select oid from pg_catalog.pg_database where datname = current_database())), 1, 8)
  from pg_catalog.pg_control_system()
$$;

-- The change log, its lines and the rows that wait in the tails: what a snapshot did not see. What is from beyond this one is of the
-- database that this one was restored from.
create or replace function cagg._lines(p_since pg_snapshot) returns setof cagg._changes
language plpgsql stable as $$
declare
  v_unseen text := 'select * from %s where xid >= pg_snapshot_xmin($1) and not pg_visible_in_snapshot(xid, $1) and xid < pg_snapshot_xmax(pg_current_snapshot())';
  v_waiting regprocedure;
begin
  return query execute format(v_unseen, 'cagg._changes') using p_since;
  for v_waiting in
    select to_regprocedure(cagg._fold_function(source, 'waiting') || '()') from (select distinct source from cagg._aggregates) as sources
  loop
    continue when v_waiting is null;
    return query execute format(v_unseen, v_waiting) using p_since;
  end loop;
end $$;

-- Writes the function that tells in which buckets of which views the new lines of the change log lie: a line stands for the aggregate
-- it names and all that are folded from that one. One statement for all of them, because to put one together at each look takes
-- longer than to run it. Where nothing is new it is left alone.
create or replace function cagg._install_changes() returns void
language plpgsql as $$
declare
  v_trees text := (
    select string_agg(tree.sql, E'\nunion all ' order by named.id) from cagg._aggregates as named
    cross join lateral (
      select format('select level.*, max(written_at) from lines cross join lateral (values %s) as level where aggregate = %s group by 1, 2, 3',
        string_agg(format('(%L, (%s)::text, (%s)::text)', cagg._view(a),
          cagg._bucket_at(a, named.id, 'first_bucket'), cagg._bucket_at(a, named.id, 'last_bucket')), ', ' order by a.id), named.id)
      from cagg._tree(named.id) as a where a.ready having count(*) > 0) as tree (sql));
  v_body text := format(E'\n#variable_conflict use_column\nbegin\n%send ', E'return query with lines as materialized (
  select aggregate, first_bucket, last_bucket, max(written_at) as written_at from cagg._lines(p_from) group by 1, 2, 3)\n' || v_trees || E';\n');
begin
  if v_body is distinct from (select prosrc from pg_catalog.pg_proc where oid = to_regprocedure('cagg_data._changes_since(pg_snapshot)')) then
    execute format('create or replace function cagg_data._changes_since(p_from pg_snapshot) '
      'returns table (view_name text, first_bucket text, last_bucket text, committed_at timestamptz) '
      'language plpgsql stable set plan_cache_mode = force_generic_plan as $changes$%s$changes$', v_body);
  end if;
end $$;

-- What changed since a cursor: one row a view and stretch of buckets (first and last, inclusive), then always one row with
-- view_name null that holds the new cursor. No cursor: start now.
-- Errors: CA400, the text is no cursor; CA410, the change log no longer reaches back to it: read everything anew.
create or replace function cagg.changes_since(cursor text)
returns table (view_name text, first_bucket text, last_bucket text, committed_at timestamptz, new_cursor text)
language plpgsql stable set timezone = 'UTC' as $$
#variable_conflict use_column
declare
  v_from pg_snapshot;
  v_epoch text := split_part(cursor, ':', 1);
begin
  if cursor is not null then
    begin
      v_from := substr(cursor, length(v_epoch) + 2)::pg_snapshot;
    exception when others then
      raise exception 'not a cursor: %', left(cursor, 80) using errcode = 'CA400',
        hint = 'Give the new_cursor of an earlier call, or null to start now.';
    end;
    if v_epoch <> cagg._epoch()
      or exists (select from cagg._trimmed as t where t.xid >= pg_snapshot_xmin(v_from) and t.xid < pg_snapshot_xmax(pg_current_snapshot()))
      or pg_snapshot_xmax(v_from) > pg_snapshot_xmax(pg_current_snapshot())
    then
      raise exception 'the cursor has expired' using errcode = 'CA410',
        hint = 'Read the aggregates anew and go on from cagg.changes_since(null).';
    end if;
    if to_regprocedure('cagg_data._changes_since(pg_snapshot)') is not null then
      return query select *, null::text from cagg_data._changes_since(v_from);
    end if;
  end if;
  return query select null::text, null::text, null::text, null::timestamptz, cagg._epoch() || ':' || pg_current_snapshot();
end $$;

-- Whether rows were deleted, or moved to another bucket, since a cursor of what a view is folded from. Rows that change places in
-- one statement, as many into a bucket as out of it, are not told: which new row was which old one, transition tables do not say.
create or replace function cagg.deleted_since(view_name text, cursor text) returns boolean
language sql stable as $$
  select exists (
    select from cagg._lines(substr(cursor, strpos(cursor, ':') + 1)::pg_snapshot)
    where deleted and aggregate = (cagg._root((cagg._find(view_name)).id)).id)
$$;
