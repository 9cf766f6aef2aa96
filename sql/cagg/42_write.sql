-- Writes the statements that fold, fill and read an aggregate, from its shape. Nothing here runs on rows: the text made
-- here is stored in trigger functions and views, where PostgreSQL plans it once.

-- How a function that is written here runs: by the aggregate's owner, in UTC and with PostgreSQL's defaults, whoever calls it.
create or replace function cagg._by_owner() returns text
language sql immutable
return 'security definer set search_path = pg_catalog, pg_temp set timezone = ''UTC'' set datestyle = ''ISO'' set intervalstyle = ''postgres'' set extra_float_digits = 1';

-- One piece of text an item of a shape's list: 1 name, 2 quoted column, 3 flat, 4 type, 5 level, 6 finer.
create or replace function cagg._list(p_items jsonb, p_format text, p_separator text) returns text
language sql immutable strict as $$
  select coalesce(string_agg(
    format(p_format, i ->> 'name', quote_ident(i ->> 'column'), i ->> 'flat', i ->> 'type', i ->> 'level', i ->> 'finer'),
    p_separator order by n), '')
  from jsonb_array_elements(p_items) with ordinality as items (i, n)
$$;

-- The same by kind of state: p_add, p_min, p_max, p_sketch and p_tally are formats for _list.
create or replace function cagg._by_kind(p_states jsonb, p_add text, p_min text, p_max text, p_sketch text, p_tally text default '') returns text
language sql immutable strict as $$
  select coalesce(string_agg(cagg._list(jsonb_build_array(s), case s ->> 'kind'
    when 'add' then p_add when 'min' then p_min when 'max' then p_max when 'tally' then p_tally else p_sketch end, ''), '' order by n), '')
  from jsonb_array_elements(p_states) with ordinality as states (s, n)
$$;

-- States of several rows of one group, merged. p_prefix: what their columns' names start with; p_finer: those of the finer level,
-- where sketches stay bags: most groups have one finer row, which is a sketch already.
create or replace function cagg._merged(p_states jsonb, p_prefix text, p_finer boolean default false) returns text
language sql immutable strict as $$
  select cagg._by_kind(p_states, ', (sum(' || c || '))::%4$s as %1$s', ', min(' || c || ') as %1$s', ', max(' || c || ') as %1$s',
    ', ' || case when p_finer then 'cagg._bag(' || c || ')' else 'cagg._sketch(cagg._bag(' || c || '))' end || ' as %1$s',
    ', cagg._tally_merge(cagg._bag(' || c || ')) as %1$s')
  from (select p_prefix || case when p_finer then '%6$s' else '%1$s' end as c) as column_name
$$;

-- 1, 2, … n: the grouping columns by position.
create or replace function cagg._positions(p_count integer) returns text
language sql immutable strict as $$ select string_agg(i::text, ', ' order by i) from generate_series(1, p_count) as i $$;

-- Raw rows folded to one row a group. p_sign -1: what leaves; states that cannot be subtracted are null then.
-- p_typed false: before the states' types are known. p_and: a further condition on the raw rows.
create or replace function cagg._select_raw(
  p_this cagg._aggregates, p_from text, p_sign integer, p_typed boolean default true, p_and text default null
)
returns text
language sql stable as $$
  select format('select %s as bucket%s, %scount(*) as n%s from %s%s group by %s',
    s #>> '{bucket,flat}',
    cagg._list(s -> 'keys', ', %3$s as %1$s', ''),
    case when p_sign < 0 then '-' else '' end,
    case when not p_typed then cagg._list(s -> 'states', ', %3$s as %1$s', '')
      when p_sign > 0 then cagg._by_kind(s -> 'states', ', coalesce((%3$s)::%4$s, ''0''::%4$s) as %1$s', ', %3$s as %1$s', ', %3$s as %1$s', ', %3$s as %1$s', ', %3$s as %1$s')
      else cagg._by_kind(s -> 'states', ', -coalesce((%3$s)::%4$s, ''0''::%4$s) as %1$s',
        ', null::%4$s as %1$s', ', null::%4$s as %1$s', ', null::%4$s as %1$s', ', cagg._tally_negated(%3$s) as %1$s') end,
    p_from,
    ' where ' || nullif(concat_ws(' and ', '(' || (s ->> 'where') || ')', p_and), ''),
    cagg._positions(1 + jsonb_array_length(s -> 'keys')))
  from (select p_this.shape as s) as shape
$$;

-- A finer level's folded groups, folded on to this level. p_delta: the name of the finer level's delta.
create or replace function cagg._select_level(p_this cagg._aggregates, p_finer cagg._aggregates, p_delta text) returns text
language sql stable as $$
  select format('select %s as bucket%s, sum(_n)::bigint as n%s '
    'from (select bucket as %I%s, n as _n%s from %s) as %s%s group by %s',
    s #>> '{bucket,level}',
    cagg._list(s -> 'keys', ', %5$s as %1$s', ''),
    cagg._merged(s -> 'states', '_', true),
    p_finer.shape #>> '{bucket,column}',
    cagg._list(p_finer.shape -> 'keys', ', %1$s as %2$s', ''),
    cagg._list(p_finer.shape -> 'states', ', %1$s as _%1$s', ''),
    p_delta,
    s ->> 'relation',
    ' where ' || (s ->> 'level_where'),
    cagg._positions(1 + jsonb_array_length(s -> 'keys')))
  from (select p_this.shape as s) as shape
$$;

-- The condition under which a delta's rows belong to this level: inside its retention, or what it was before it was removed. A
-- transaction whose snapshot is older than the aggregate knows no bound, and writes all.
create or replace function cagg._retained(p_this cagg._aggregates, p_bucket text default 'bucket') returns text
language sql stable as $$
  select case when p_this.options ? 'retention' or isfinite(p_this.retained_from) then format(
    '%s >= coalesce((select retained_from from cagg._aggregates where id = %s), ''-infinity'')::%s', p_bucket, p_this.id, p_this.shape #>> '{bucket,type}')
    else 'true' end
$$;

create or replace function cagg._has_sketch(p_shape jsonb) returns boolean
language sql immutable as $$ select exists (select from jsonb_array_elements(p_shape -> 'states') as s where s ->> 'kind' = 'sketch') $$;

-- The slot that a delta's row is written to: the transaction's own (v_slot, of the trigger function), so that writers do not
-- queue for one row. Sketches grow large, and rewriting them with each commit would cost more than all else: many new hashes
-- go to a row of this transaction (positive slots), a few to a row of these 16 seconds (negative ones); compaction brings those
-- into slot 0.
create or replace function cagg._slot(p_this cagg._aggregates) returns text
language sql immutable as $$
  select case
    when cagg._has_sketch(p_this.shape) then format(
      'case when greatest(%s) > 16 then (pg_current_xact_id()::text::bigint %% 2147483647 + 1)::integer'
      ' else -(1 + extract(epoch from now())::bigint / 16 %% 10000000 * 64 + v_slot %% 64)::integer end',
      ltrim(cagg._by_kind(p_this.shape -> 'states', '', '', '', ', cardinality(%1$s)'), ', '))
    when p_this.slots = 1 then '0'
    else format('v_slot %% %s', p_this.slots) end
$$;

-- The condition under which a delta's row says anything: what came and what went may cancel out.
create or replace function cagg._moved(p_shape jsonb) returns text
language sql immutable as $$
  select '(n <> 0' || cagg._by_kind(p_shape -> 'states', ' or %1$s <> ''0''::%4$s', ' or %1$s is not null', ' or %1$s is not null',
    ' or %1$s is not null', ' or cardinality(%1$s) > 0') || ')'
$$;

-- Groups into the table of states, sorted, so that two writers lock shared rows in the same order.
-- p_delta: rows of groups, each group once. p_slot: where to; null: the writer's slot. p_spoiled: marks come along.
create or replace function cagg._write(p_this cagg._aggregates, p_delta text, p_only_moved boolean, p_slot text, p_spoiled boolean) returns text
language sql stable as $$
  select format('insert into %1$s as t (bucket%2$s, slot, n%3$s) '
    'select bucket%2$s, %4$s as slot, n%3$s from %5$s where %6$s%7$s order by %8$s '
    'on conflict (bucket%2$s, slot) do update set n = t.n + excluded.n%9$s',
    cagg._store(p_this),
    cagg._list(s -> 'keys', ', %1$s', ''),
    cagg._list(s -> 'states', ', %1$s', '') || case when p_spoiled then ', spoiled' else '' end,
    coalesce(p_slot, cagg._slot(p_this)),
    p_delta,
    cagg._retained(p_this),
    case when p_only_moved then ' and ' || cagg._moved(s) else '' end,
    cagg._positions(2 + jsonb_array_length(s -> 'keys')),
    cagg._by_kind(s -> 'states', ', %1$s = t.%1$s + excluded.%1$s', ', %1$s = least(t.%1$s, excluded.%1$s)',
      ', %1$s = greatest(t.%1$s, excluded.%1$s)',
      -- Most rows belong to sessions that are known: what adds nothing rewrites nothing. A writer appends what is new: sorting
      -- costs more than all else here.
      ', %1$s = case when excluded.%1$s is null or cardinality(excluded.%1$s) <= 4 and t.%1$s @> excluded.%1$s then t.%1$s'
      ' else ' || case when p_slot is null then 'cagg._sketch_append(t.%1$s, excluded.%1$s)' else 'cagg._sketch(t.%1$s || excluded.%1$s)' end || ' end',
      ', %1$s = cagg._tally_append(t.%1$s, excluded.%1$s)')
      || case when p_spoiled then ', spoiled = t.spoiled or excluded.spoiled' else '' end)
  from (select p_this.shape) as this (s)
$$;

-- Lines of the change log: one for each stretch of about 60 buckets. Those of a root stand for its whole tree.
-- p_buckets: what holds the column bucket.
create or replace function cagg._log(p_this cagg._aggregates, p_buckets text) returns text
language sql stable as $$
  select format('select %s, min(bucket)::text, max(bucket)::text from %s group by %s',
    p_this.id, p_buckets,
    case when cagg._is_timed(p_this.shape)
      then format('floor(extract(epoch from bucket) / (60 * extract(epoch from %s)))', p_this.shape #>> '{bucket,width}')
      else format('bucket / (60::bigint * %s)', p_this.shape #>> '{bucket,width}') end)
$$;

-- The statement that logs all that is stored of some buckets, in one line.
create or replace function cagg._log_stored(p_this cagg._aggregates, p_condition text, p_deleted boolean default false) returns text
language sql stable as $$
  select format('insert into cagg._changes (aggregate, first_bucket, last_bucket, deleted) '
    'select %s, min(bucket)::text, max(bucket)::text, %L from %s where %s having count(*) > 0',
    p_this.id, p_deleted, cagg._store(p_this), p_condition)
$$;

-- The bucket of a coarser level that holds a bucket of the tree's aggregate p_from, by the levels between them.
create or replace function cagg._bucket_at(p_this cagg._aggregates, p_from integer, p_bucket text) returns text
language plpgsql stable as $$
declare
  v_finer cagg._aggregates;
begin
  if p_this.id = p_from then return format('(%s)::%s', p_bucket, p_this.shape #>> '{bucket,type}'); end if;
  select * into v_finer from cagg._aggregates where id = p_this.parent;
  return format('(select %s from (select %s as %I) as %s)', p_this.shape #>> '{bucket,level}',
    cagg._bucket_at(v_finer, p_from, p_bucket), v_finer.shape #>> '{bucket,column}', p_this.shape ->> 'relation');
end $$;

-- Rows that hold nothing any more are removed, where something changed of late: emptied groups are not shown, so this is
-- housekeeping and need not cost the writer. Rows that a writer holds are left for the next time.
create or replace function cagg._sweep_sql(p_this cagg._aggregates) returns text
language sql stable as $$
  select format('delete from %1$s where ctid = any (array(
      select t.ctid from %1$s as t, (
        select distinct %4$s as first, %5$s as last from cagg._changes
        where aggregate = %3$s and written_at > clock_timestamp() - interval ''5 minutes''
      ) as c
      where t.bucket between c.first and c.last and t.n = 0%2$s%6$s
      for update of t skip locked))',
    cagg._store(p_this),
    cagg._by_kind(s -> 'states', ' and t.%1$s = ''0''::%4$s', ' and t.%1$s is null', ' and t.%1$s is null', ' and t.%1$s is null',
      ' and coalesce(cagg._tally_merge(t.%1$s) = ''{}'', true)'),
    root.id, cagg._bucket_at(p_this, root.id, 'first_bucket'), cagg._bucket_at(p_this, root.id, 'last_bucket'),
    case when cagg._is_additive(s) then '' else ' and not t.spoiled' end)
  from (select p_this.shape as s) as shape, cagg._root(p_this.id) as root
$$;

-- Brings the rows of past transactions and of the 16 seconds before the last into slot 0, with their marks: however many removals
-- spoiled a group that is never without writers, one mark says so.
create or replace function cagg._compact_sql(p_this cagg._aggregates) returns text
language sql stable as $$
  select format('with moved as (delete from %1$s where ctid = any (array(select ctid from %1$s where slot > 0 or slot < 0 and slot not between
      -(extract(epoch from now())::bigint / 16 %% 10000000 + 1) * 64 and -(extract(epoch from now())::bigint / 16 %% 10000000 - 1) * 64
      for update skip locked)) returning *) %2$s',
    cagg._store(p_this),
    cagg._write(p_this, format('(select bucket%s, sum(n)::bigint as n%s, bool_or(spoiled) as spoiled from moved group by %s) as merged',
      cagg._list(s -> 'keys', ', %1$s', ''), cagg._merged(s -> 'states', ''), cagg._positions(1 + jsonb_array_length(s -> 'keys'))), false, '0', true))
  from (select p_this.shape as s) as shape
$$;

-- The condition on the source's own time column, for its index and its partitions, that its row's bucket is not before ('>=') or
-- wholly before ('<') a time; generous where local clocks change. null: no bound.
create or replace function cagg._time_bound(p_this cagg._aggregates, p_operator text, p_bound text) returns text
language sql immutable as $$
  select format(case p_operator when '<' then '%1$s < %2$s + (%3$s - %4$s)' else '%1$s >= %2$s - (%3$s - %4$s)' end,
    s #>> '{bucket,time}', p_bound, s #>> '{bucket,reach}', s #>> '{bucket,width}')
  from (select p_this.shape as s) as shape where p_bound is not null
$$;

-- Back-fill from the raw source, for buckets that meet a condition and rows that meet p_and.
create or replace function cagg._fill_sql(p_this cagg._aggregates, p_condition text, p_and text default null, p_slot text default '0') returns text
language sql stable as $$
  select cagg._write(p_this, format('(select * from (%s) as folded where %s) as delta',
    cagg._select_raw(p_this, p_this.shape ->> 'from', 1, true, nullif(p_and, '')), p_condition), false, p_slot, false)
$$;

-- The view that users read: slots and the tail merged, states turned into values, emptied groups left out.
create or replace function cagg._view_sql(p_this cagg._aggregates) returns text
language sql stable as $$
  select format('create view %s as select %s from (%s) as states%s',
    cagg._view(p_this),
    (select string_agg(format('(%s)::%s as %I', c ->> 'read', c ->> 'type', c ->> 'column'), ', ' order by n)
      from jsonb_array_elements(s -> 'columns') with ordinality as columns (c, n)),
    cagg._states_sql(p_this),
    ' where ' || (s ->> 'having'))
  from (select p_this.shape as s) as shape
$$;

-- The definition itself, run on the raw rows now.
create or replace function cagg._truth_sql(p_this cagg._aggregates) returns text
language sql stable as $$
  select format('select %s from %s%s group by %s%s',
    (select string_agg(format('(%s)::%s as %I', c ->> 'truth', c ->> 'type', c ->> 'column'), ', ' order by n)
      from jsonb_array_elements(s -> 'columns') with ordinality as columns (c, n)),
    s ->> 'from', ' where ' || (s ->> 'where'),
    (s #>> '{bucket,flat}') || cagg._list(s -> 'keys', ', %3$s', ''),
    ' having ' || (s ->> 'having_truth'))
  from (select p_this.shape as s) as shape
$$;
