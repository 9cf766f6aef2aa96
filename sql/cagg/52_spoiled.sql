-- What cannot be subtracted: min, max and sketches of a group that lost rows. A remove marks the group as spoiled, in a slot of
-- its own transaction, and waits for nobody; readers compute a spoiled group from the source, in their own snapshot; maintenance
-- computes it once for all and clears the mark. So no two writers wait for each other, in whatever order they come to groups.
--
-- Why it is exact. A mark stands until a clean that has locked its row and then takes its snapshot, which sees the removal; compaction
-- only carries it to slot 0. Let S be a snapshot in which a group has no mark, and C the last clean of the group that S sees. S sees
-- no removal that C does not, so what C computed, S's rows still have. C emptied every slot that it saw, and in the tail, which
-- nobody folded meanwhile, it saw nothing that changes what it computed. All else that S merges was written by transactions that C
-- does not see; the rows that it was written for are there still, or their removal would be one that C does not see.

-- The groups that old rows belong to, and their states over those rows.
create or replace function cagg._lost(p_this cagg._aggregates) returns text
language sql stable as $$ select cagg._select_raw(p_this, regexp_replace(p_this.shape ->> 'from_new', '^new_rows', 'old_rows'), 1) $$;

-- The condition under which a group's states stay true: the rows that went (o) had no part in them, or the rows that came
-- instead (f) have the same.
create or replace function cagg._unspoiled(p_states jsonb, p_event text) returns text
language sql immutable as $$
  select case p_event
    when 'delete' then 'true' || cagg._by_kind(p_states, '', ' and o.%1$s is null', ' and o.%1$s is null', ' and o.%1$s is null')
    else 'true' || cagg._by_kind(p_states, '', ' and (o.%1$s is null or coalesce(f.%1$s <= o.%1$s, false))',
      ' and (o.%1$s is null or coalesce(f.%1$s >= o.%1$s, false))',
      ' and not exists (select unnest(o.%1$s) except select unnest(f.%1$s))') end
$$;

-- A slot that no other transaction under way writes to.
create or replace function cagg._own_slot(p_this cagg._aggregates) returns text
language sql immutable as $$
  select case when cagg._has_sketch(p_this.shape) then '(pg_current_xact_id()::text::bigint % 2147483647 + 1)::integer'
    else format('v_slot %% %s', p_this.slots) end
$$;

-- The statement, of an update or delete, that marks the groups it spoils.
create or replace function cagg._spoil_sql(p_this cagg._aggregates, p_event text) returns text
language sql stable as $$
  select format(E'with spoiled as materialized (select o.bucket%2$s from (%3$s) as o%4$s),\nmarked as (\n'
    'insert into %1$s as t (bucket%5$s, slot, n%6$s, spoiled) select bucket%5$s, %7$s as slot, 0%8$s, true from spoiled'
    ' where case when not %9$s then false when %10$s then true else cagg._refuse_removal(%11$L) end order by %12$s '
    'on conflict (bucket%5$s, slot) do update set spoiled = true where not t.spoiled)\n'
    'insert into cagg._changes (aggregate, first_bucket, last_bucket) %13$s',
    cagg._store(p_this),
    cagg._list(s -> 'keys', ', o.%1$s', ''),
    cagg._lost(p_this),
    case when p_event = 'update' then format(' left join (%s) as f on f.bucket = o.bucket%s',
      cagg._select_raw(p_this, s ->> 'from_new', 1), cagg._list(s -> 'keys', ' and f.%1$s is not distinct from o.%1$s', '')) else '' end
      || format(' where not (%s)', cagg._unspoiled(s -> 'states', p_event)),
    cagg._list(s -> 'keys', ', %1$s', ''),
    cagg._list(s -> 'states', ', %1$s', ''),
    cagg._own_slot(p_this),
    cagg._by_kind(s -> 'states', ', ''0''::%4$s', ', null::%4$s', ', null::%4$s', ', null::%4$s', ', null::%4$s'),
    cagg._retained(p_this),
    cagg._not_dropped(p_this),
    cagg._view(p_this),
    cagg._positions(2 + jsonb_array_length(s -> 'keys')),
    cagg._log(p_this, 'spoiled'))
  from (select p_this.shape as s) as shape
$$;

create or replace function cagg._refuse_removal(p_view text) returns boolean
language plpgsql as $$
begin
  raise exception 'rows of % cannot be removed there: its minimum, maximum or distinct count needs raw rows that retention has dropped', p_view
    using errcode = '55000', hint = 'Leave rows of that time as they are, or keep raw rows longer.';
end $$;

create or replace function cagg._fresh(p_this cagg._aggregates) returns text
language sql immutable as $$ select format('cagg_data.%I', 'fresh_' || p_this.id) $$;

-- One group computed from the source: $1 is its bucket, $2 … its keys. The bounds on the source's own time column are there for
-- its index and its partitions.
create or replace function cagg._group_from_source(p_this cagg._aggregates) returns text
language sql stable as $$
  select cagg._select_raw(p_this, s ->> 'from', 1, true, format('%s and %s and %s = $1%s',
    cagg._time_bound(p_this, '>=', '$1'), cagg._time_bound(p_this, '<', format('($1 + %s)', s #>> '{bucket,width}')), s #>> '{bucket,flat}',
    (select string_agg(format(' and (%s) is not distinct from $%s', k ->> 'flat', n + 1), '' order by n)
      from jsonb_array_elements(s -> 'keys') with ordinality as keys (k, n))))
  from (select p_this.shape as s) as shape
$$;

-- One group computed from the finer level's groups, those of them that are spoiled in the same way: a removal from a day of
-- millions of rows costs the rows of a second.
create or replace function cagg._group_from_finer(p_this cagg._aggregates, p_finer cagg._aggregates) returns text
language sql stable as $$
  select format('select bucket%s, n%s from (%s) as level where bucket = $1%s',
    cagg._list(s -> 'keys', ', %1$s', ''),
    cagg._by_kind(s -> 'states', ', %1$s', ', %1$s', ', %1$s', ', cagg._sketch(%1$s)', ', %1$s'),
    cagg._select_level(p_this, p_finer, format('(select * from (%s) as stored where bucket >= %s and bucket < $1 + (%s)) as finer',
      cagg._states_sql(p_finer), cagg._reaches_back(p_this), s #>> '{bucket,reach}')),
    (select string_agg(format(' and %s is not distinct from $%s', k ->> 'name', n + 1), '' order by n)
      from jsonb_array_elements(s -> 'keys') with ordinality as keys (k, n)))
  from (select p_this.shape as s) as shape
$$;

-- No row of the bucket $1, and no finer bucket of it, is before this time.
create or replace function cagg._reaches_back(p_this cagg._aggregates) returns text
language sql immutable as $$ select format('$1 - (%s - %s)', p_this.shape #>> '{bucket,reach}', p_this.shape #>> '{bucket,width}') $$;

-- Writes the function that computes one group, which holds so many rows: from the finer level, if there is one that still has all of the
-- bucket, and if so little of it is spoiled that computing each of those groups costs less than one scan of the bucket's rows. A group of
-- the finest level costs about as much as 400 rows.
create or replace function cagg._write_fresh(p_this cagg._aggregates) returns void
language plpgsql as $$
declare
  v_finer cagg._aggregates;
  v_take text := E'  select f.*, 0, false into v_fresh from (%s) as f;\n';
  v_body text := format(v_take, cagg._group_from_source(p_this));
begin
  select * into v_finer from cagg._aggregates where id = p_this.parent;
  if found then
    v_body := format(E'  if %s and not exists (select from %s where spoiled and bucket >= %s and bucket < $1 + (%s) offset greatest(50, $%s / 400)) then\n%s  else\n%s  end if;\n',
      case when cagg._is_timed(p_this.shape)
        then format('%s >= (select retained_from from cagg._aggregates where id = %s)', cagg._reaches_back(p_this), v_finer.id) else 'true' end,
      cagg._store(cagg._root(p_this.id)), cagg._reaches_back(p_this), p_this.shape #>> '{bucket,reach}', 2 + jsonb_array_length(p_this.shape -> 'keys'),
      format(v_take, cagg._group_from_finer(p_this, v_finer)), v_body);
  end if;
  execute format(E'create or replace function %1$s(bucket %2$s%3$s, rows_held bigint) returns %4$s language plpgsql stable %6$s as $fresh$\n'
    '#variable_conflict use_column\ndeclare\n  v_fresh %4$s;\nbegin\n%5$s  return v_fresh;\nend $fresh$',
    cagg._fresh(p_this), p_this.shape #>> '{bucket,type}', cagg._list(p_this.shape -> 'keys', ', %1$s %4$s', ''), cagg._store(p_this),
    v_body, cagg._by_owner());
end $$;

-- The tail, folded to this aggregate's groups.
create or replace function cagg._select_tail(p_this cagg._aggregates) returns text
language sql stable as $$
  select coalesce(cagg._select_branches(p_this, cagg._tail(p_this.source) || ' ' || relation.alias),
    cagg._select_raw(p_this, regexp_replace(p_this.shape ->> 'from_new', '^new_rows', cagg._tail(p_this.source)), 1))
  from cagg._first_relation(p_this.shape ->> 'from') as relation
$$;

-- One row a group: its slots and the tail merged, and computed from the source where it is spoiled.
create or replace function cagg._states_sql(p_this cagg._aggregates) returns text
language sql stable as $$
  select case when cagg._is_additive(s) then merged
    -- "offset 0" keeps the planner from computing the group once a state.
    else format('select bucket%1$s, n%2$s from (%3$s) as merged cross join lateral (select case when spoiled then %4$s(bucket%1$s, n) end as f offset 0) as fresh',
      cagg._list(s -> 'keys', ', %1$s', ''),
      cagg._by_kind(s -> 'states', ', %1$s', ', case when spoiled then (f).%1$s else %1$s end as %1$s', ', case when spoiled then (f).%1$s else %1$s end as %1$s',
        ', case when spoiled then cagg._sketch((f).%1$s) else %1$s end as %1$s', ', %1$s'),
      merged,
      cagg._fresh(p_this)) end
  from (select p_this.shape, cagg._list(p_this.shape -> 'keys', ', %1$s', ''), cagg._list(p_this.shape -> 'states', ', %1$s', '')) as shape (s, keys, states)
  cross join lateral (select format('select bucket%1$s, sum(n)::bigint as n%2$s%3$s from ('
      'select bucket%1$s, n%4$s%5$s from %7$s where %9$s union all select bucket%1$s, n%4$s%6$s from (%8$s) as tail where %9$s) as parts '
      'group by %10$s having sum(n) > 0',
    keys,
    cagg._merged(s -> 'states', ''),
    case when cagg._is_additive(s) then '' else ', bool_or(spoiled) as spoiled' end,
    states,
    case when cagg._is_additive(s) then '' else ', spoiled' end,
    case when cagg._is_additive(s) then '' else ', false' end,
    cagg._store(p_this),
    cagg._select_tail(p_this),
    cagg._retained(p_this),
    cagg._positions(1 + jsonb_array_length(s -> 'keys')))) as parts (merged)
$$;

-- Computes groups from the source and clears their marks: those of these slots, if the snapshot has no other slots of them, and
-- nothing in the tail that changes what was computed.
create or replace function cagg._clean_slots(p_this cagg._aggregates, p_slots tid[]) returns void
language plpgsql as $$
declare
  s jsonb := p_this.shape;
  v_set text := ', %1$s = case when t.ctid = g.slots[1] then (g.states).%1$s end';
begin
  execute format('with tail as materialized (%1$s), '
    'g as materialized (select bucket%2$s, sum(n)::bigint as n, array_agg(ctid) as slots from %3$s where ctid = any ($1) group by %4$s), '
    'f as materialized (select g.*, %5$s(g.bucket%6$s, g.n) as states from g '
    'where cardinality(g.slots) = (select count(*) from %3$s as t where t.bucket = g.bucket%7$s)) '
    'update %3$s as t set spoiled = false%8$s from f as g cross join lateral unnest(g.slots) as slot_of (row_id) where t.ctid = row_id '
    'and not exists (select from tail as t where t.bucket = g.bucket%7$s and not (true%9$s))',
    cagg._select_tail(p_this), cagg._list(s -> 'keys', ', %1$s', ''), cagg._store(p_this),
    cagg._positions(1 + jsonb_array_length(s -> 'keys')), cagg._fresh(p_this),
    cagg._list(s -> 'keys', ', g.%1$s', ''), cagg._list(s -> 'keys', ' and t.%1$s is not distinct from g.%1$s', ''),
    cagg._by_kind(s -> 'states', '', v_set, v_set, v_set),
    cagg._by_kind(s -> 'states', '', ' and least(t.%1$s, (g.states).%1$s) is not distinct from (g.states).%1$s',
      ' and greatest(t.%1$s, (g.states).%1$s) is not distinct from (g.states).%1$s',
      ' and cagg._sketch((g.states).%1$s || t.%1$s) is not distinct from cagg._sketch((g.states).%1$s)')) using p_slots;
end $$;

-- Cleans the spoiled groups of an aggregate that no writer is in; before p_until also three of the others, each waited for 50 ms.
-- First the tail, which nobody else folds meanwhile, then the locks, then, by another statement, the snapshot: all that the
-- locked slots hold is in it.
create or replace function cagg._clean(p_this cagg._aggregates, p_until timestamptz default null) returns void
language plpgsql set lock_timeout = '50ms' as $$
declare
  v_keys text := cagg._list(p_this.shape -> 'keys', ', %1$s', '');
  v_lock text := format('select array(select t.ctid from %1$s as t join (select bucket%2$s from %1$s where spoiled group by bucket%2$s%%s) as g '
    'on t.bucket = g.bucket%3$s order by t.bucket, t.slot for update of t%%s)',
    cagg._store(p_this), v_keys, cagg._list(p_this.shape -> 'keys', ' and t.%1$s is not distinct from g.%1$s', ''));
  v_slots tid[];
begin
  begin
    perform pg_advisory_xact_lock(hashtext('cagg.tail'), hashtext(p_this.source));
    perform cagg._fold_tail(p_this.source);
  exception when lock_not_available then
    return;
  end;
  execute format(v_lock, '', ' skip locked') into v_slots;
  perform cagg._clean_slots(p_this, v_slots);
  for v_try in 1..3 loop
    exit when p_until is null or clock_timestamp() > p_until;
    begin
      execute format(v_lock, ' order by random() limit 1', '') into v_slots;
      exit when v_slots = '{}';
      perform cagg._clean_slots(p_this, v_slots);
    exception when lock_not_available then
      null;
    end;
  end loop;
end $$;
