-- Creating continuous aggregates.

-- Creates a continuous aggregate: the view, back-filled, and kept exact from then on at every commit.
--   view_name    where to read it; a schema may be named
--   definition   the SELECT: one source table (named first), joins to dimension tables, where, one cagg.time_bucket and any
--                other keys in the group by, aggregates with filter; or a SELECT over another continuous aggregate
--   options      retention  interval: buckets older than this are dropped by cagg.run_maintenance()
--                slots      1 to 64, default 64: how many partial rows a group may have, so that writers do not queue for one
--                           (aggregates with sketches place their rows themselves)
--                replace    true: an aggregate of that name with another definition is dropped, with those that read it
-- Calling it again with the same definition and options changes nothing.
create or replace function cagg.create_continuous_aggregate(view_name text, definition text, options jsonb default '{}')
returns void
language plpgsql as $$
#variable_conflict use_variable
declare
  v_name text[] := cagg._qualified(view_name);
  v_this cagg._aggregates;
begin
  options := coalesce(options, '{}');
  perform cagg._check_options(options);
  if current_setting('cagg.collecting', true) = 'on' then
    perform cagg._collect(v_name, definition, options);
    return;
  end if;
  perform pg_advisory_xact_lock(hashtext('cagg.define'));
  select * into v_this from cagg._aggregates as a where a.view_schema = v_name[1] and a.view_name = v_name[2] and a.ready;
  if found then
    if v_this.definition = definition and v_this.options = options - 'replace' then return; end if;
    if not coalesce((options ->> 'replace')::boolean, false) then
      raise exception 'continuous aggregate % exists with another definition', view_name using errcode = '42P07',
        hint = 'Drop it first, or give the option {"replace": true}.';
    end if;
    raise notice 'the definition of % changed: it is built again', view_name;
    perform cagg.drop_continuous_aggregate(view_name, true);
  end if;
  perform cagg._create(v_name, definition, options - 'replace', true);
end $$;

-- Options are known by name, and what they may be.
create or replace function cagg._check_options(p_options jsonb) returns void
language plpgsql as $$
declare
  v_unknown text := (select string_agg(key, ', ') from jsonb_object_keys(p_options) as key where key not in ('retention', 'slots', 'replace'));
begin
  if v_unknown is not null then
    raise exception 'unknown option of a continuous aggregate: %', v_unknown using errcode = '22023', hint = 'Options are retention, slots and replace.';
  elsif coalesce(p_options ->> 'slots', '64') !~ '^([1-9]|[1-5]\d|6[0-4])$' then
    raise exception 'slots must be from 1 to 64, got %', p_options ->> 'slots' using errcode = '22023',
      hint = 'Leave it out: a group has as many rows as there are transactions under way.';
  elsif coalesce(p_options ->> 'replace', 'false') not in ('true', 'false') then
    raise exception 'replace must be true or false, got %', p_options ->> 'replace' using errcode = '22023',
      hint = 'With true an aggregate of that name is dropped where its definition is another.';
  elsif not cagg._is_constant(format('%L::interval', coalesce(p_options ->> 'retention', '1 day')), '> ''0''') then
    raise exception 'retention must be an interval longer than nothing, got %', p_options ->> 'retention' using errcode = '22023',
      hint = 'Give an interval such as "30 days"; without it all buckets are kept.';
  end if;
end $$;

-- An aggregate is of all rows: its owner must see them. The fold does in any case; what is filled or computed again is read.
create or replace function cagg._check_row_security(p_view regclass) returns void
language plpgsql as $$
declare
  v_hidden text := (
    select string_agg(distinct c.oid::regclass::text, ', ')
    from pg_catalog.pg_depend as d
    join pg_catalog.pg_rewrite as r on r.oid = d.objid and r.ev_class = p_view
    join pg_catalog.pg_class as c on c.oid = d.refobjid and c.relkind in ('r', 'p')
    where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass and row_security_active(c.oid)
      and not coalesce((
        select bool_or(polpermissive and pg_get_expr(polqual, polrelid) = 'true') and bool_and(polpermissive)
        from pg_catalog.pg_policy as p
        where polrelid = c.oid and polcmd in ('r', '*')
          and exists (select from unnest(polroles) as role where case when role = 0 then true else pg_has_role(role, 'usage') end)), false));
begin
  if v_hidden is not null then
    raise exception 'row level security hides rows of % from %', v_hidden, current_user using errcode = '42501',
      hint = format('Let it see them all: create policy aggregates on %s for select to %I using (true).', v_hidden, current_user);
  end if;
end $$;

-- Buckets are dropped by age.
create or replace function cagg._check_retention(p_shape jsonb) returns void
language plpgsql as $$
begin
  if not cagg._is_timed(p_shape) then
    perform cagg._refuse('retention over buckets of integers', 'No clock says which of them are old: leave retention out, or bucket a time.');
  end if;
end $$;

-- The way from a definition to its shape. p_fill false: it is filled, and its triggers are made, elsewhere; see 75_rebuild.sql.
create or replace function cagg._create(p_name text[], p_definition text, p_options jsonb, p_fill boolean) returns void
language plpgsql set timezone = 'UTC' set datestyle = 'ISO' set intervalstyle = 'postgres' set extra_float_digits = 1
set client_min_messages = warning as $$
declare
  v_parent cagg._aggregates;
  v_view regclass; v_shape jsonb; v_source record; v_bad text; v_canonical text;
  v_path text := current_setting('search_path');
begin
  -- In a repeatable-read snapshot the back-fill would miss what was committed before the lock.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'continuous aggregates are created in read committed transactions' using errcode = '25001',
      hint = 'Call it in a transaction of that isolation level, the default.';
  end if;

  v_view := cagg._draft(p_definition);
  -- From here on every name is printed qualified.
  perform set_config('search_path', 'pg_catalog, pg_temp', true);
  perform cagg._check_foldable(v_view);
  perform cagg._check_row_security(v_view);
  select * into v_source from cagg._first_relation((
    select from_list from cagg._clauses(v_view)));
  select * into v_parent from cagg._aggregates as a where cagg._view(a) = v_source.relation and ready;
  select string_agg(c.oid::regclass::text, ', ') into v_bad
  from pg_catalog.pg_depend as d
  join pg_catalog.pg_rewrite as r on r.oid = d.objid and r.ev_class = v_view
  join pg_catalog.pg_class as c on c.oid = d.refobjid
  where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass and c.oid <> v_view
    and not (c.relkind in ('r', 'p') or (c.relkind = 'v' and c.oid = v_source.relation::regclass and v_parent.id is not null));
  if v_bad is not null then
    perform cagg._refuse('a source that is no table: ' || v_bad, 'Read from a table, partitioned or not, or from another continuous aggregate.');
  end if;
  if (
    select count(*) from pg_catalog.pg_rewrite, regexp_matches(ev_action::text, ':rtekind 0 :relid (\d+)', 'g') as m
    where ev_class = v_view and m[1]::oid = v_source.relation::regclass) > 1
  then
    perform cagg._refuse('the source joined to itself', 'Each row must be folded on its own; join the aggregate to itself when you read.');
  end if;

  if exists (
    select from pg_catalog.pg_inherits as i join pg_catalog.pg_class as c on c.oid = i.inhparent
    where i.inhrelid = v_source.relation::regclass or (i.inhparent = v_source.relation::regclass and c.relkind = 'r'))
  then
    perform cagg._refuse('a source that is a partition, or inherits: ' || v_source.relation, 'Statements on one table of a family do not '
      'fire the triggers of another: define it on the partitioned table, with a where clause.');
  end if;

  if v_parent.id is null then
    v_shape := cagg._shape(v_view);
  else
    v_canonical := cagg._flatten(v_view, v_parent);
    declare
      v_over_parent text := pg_get_viewdef(v_view, true);
    begin
      v_shape := cagg._shape(cagg._draft(v_canonical));
      v_shape := cagg._with_level(v_shape, cagg._draft(v_over_parent), v_parent);
    end;
  end if;
  if p_options ? 'retention' then perform cagg._check_retention(v_shape); end if;
  execute format('drop view if exists cagg_data._draft_definition_%s, cagg_data._draft_types_%1$s', pg_backend_pid());
  perform cagg._build(p_name, p_definition, p_options, v_shape, v_parent.id, p_fill);
  perform set_config('search_path', v_path, true);
end $$;

-- Nobody looks for a group by its hashes or counts of values, and sampling those would cost a writer's machine more than folding them.
create or replace function cagg._leave_unanalyzed(p_this cagg._aggregates) returns void
language plpgsql as $$
declare
  v_state text;
begin
  for v_state in
    select attname from jsonb_array_elements(p_this.shape -> 'states') as s
    join pg_catalog.pg_attribute on attrelid = to_regclass(cagg._store(p_this)) and attname = s ->> 'name'
    where s ->> 'kind' in ('sketch', 'tally') and attstattarget is distinct from 0
  loop
    execute format('alter table %s alter column %I set statistics 0', cagg._store(p_this), v_state);
  end loop;
end $$;

-- A view that nobody reads, of all columns that a root's definition uses: while it stands, PostgreSQL refuses to drop them, their tables,
-- or to change their types. It goes with the states.
create or replace function cagg._hold(p_root cagg._aggregates) returns void
language plpgsql as $$
declare
  v_draft regclass := cagg._draft(cagg._truth_sql(p_root));
  v_columns text; v_tables text;
begin
  select string_agg(format('%s.%I as c%s', used.relation, used.name, used.n), ', '), string_agg(distinct used.relation::text, ', ')
  into v_columns, v_tables
  from (
    select a.attrelid::regclass as relation, a.attname as name, row_number() over (order by a.attrelid, a.attnum) as n
    from pg_catalog.pg_attribute as a
    where a.attnum > 0 and (a.attrelid, a.attnum) in (
      select d.refobjid, d.refobjsubid from pg_catalog.pg_depend as d join pg_catalog.pg_rewrite as r on r.oid = d.objid
      where d.classid = 'pg_rewrite'::regclass and r.ev_class = v_draft and d.refclassid = 'pg_class'::regclass and d.refobjid <> v_draft)) as used;
  execute format('create view %s as select %s from %s as states, %s', cagg._held(p_root), v_columns, cagg._store(p_root), v_tables);
  execute format('drop view %s', v_draft);
end $$;

-- The tables and the view of a shape; p_fill: and the back-fill and the triggers.
create or replace function cagg._build(p_name text[], p_definition text, p_options jsonb, p_shape jsonb, p_parent integer, p_fill boolean)
returns void
language plpgsql as $$
declare
  v_this cagg._aggregates;
  v_shape jsonb := p_shape;
begin
  -- No writer commits between the back-fill's snapshot and the triggers; maintenance folds no tail.
  perform pg_advisory_xact_lock(hashtext('cagg.maintenance'));
  execute format('lock table %s in share row exclusive mode', p_shape ->> 'source');
  perform cagg._widen_tail(p_shape ->> 'source', p_shape -> 'uses');
  insert into cagg._aggregates (view_schema, view_name, source, parent, definition, options, shape, slots, retained_from)
  values (p_name[1], p_name[2], p_shape ->> 'source', p_parent, p_definition, p_options, p_shape,
    coalesce((p_options ->> 'slots')::integer, 64),
    coalesce(now() - (p_options ->> 'retention')::interval, '-infinity'))
  returning * into v_this;
  if to_regnamespace(quote_ident(p_name[1])) is null then
    execute format('create schema %I', p_name[1]);
  end if;
  execute format('create table %s with (fillfactor = 50) as select *, 0 as slot from (%s) as groups with no data', cagg._store(v_this), cagg._select_raw(v_this, p_shape ->> 'from', 1, false));
  -- The types of the states are known now: an empty group's sum is a typed zero.
  select jsonb_set(p_shape, '{states}', coalesce(jsonb_agg(
      s || jsonb_build_object('type', format_type(a.atttypid, a.atttypmod)) order by n), '[]'))
  into v_shape
  from jsonb_array_elements(p_shape -> 'states') with ordinality as states (s, n)
  join pg_catalog.pg_attribute as a on a.attrelid = cagg._store(v_this)::regclass and a.attname = s ->> 'name';
  update cagg._aggregates set shape = v_shape where id = v_this.id returning * into v_this;
  execute format('alter table %s add constraint %I unique nulls not distinct (bucket%s, slot)', cagg._store(v_this),
    cagg._name(v_this.view_name, '_' || v_this.id || '_group'), cagg._list(v_shape -> 'keys', ', %1$s', ''));
  -- Hashes do not compress; trying to cost more than writing them.
  execute cagg._by_kind(v_shape -> 'states', '', '', '', format('alter table %s alter column %%1$s set storage external;', cagg._store(v_this)));
  perform cagg._leave_unanalyzed(v_this);
  if cagg._has_sketch(v_shape) then
    execute format('create index on %s (slot) where slot <> 0', cagg._store(v_this));
  end if;
  if not cagg._is_additive(v_shape) then
    execute format('alter table %s add column spoiled boolean not null default false', cagg._store(v_this));
    execute format('create index on %s (bucket) where spoiled', cagg._store(v_this));
    perform cagg._write_fresh(v_this);
  end if;
  execute cagg._view_sql(v_this);
  if p_parent is null then perform cagg._hold(v_this); end if;
  if p_fill then
    execute cagg._fill_sql(v_this, 'true');
    perform cagg._install_triggers(v_this.source);
  end if;
exception when undefined_column or undefined_table or undefined_function then
  raise exception 'the select list of % mixes aggregates with columns in one expression: %', p_name[2], sqlerrm
    using errcode = '0A000', hint = 'Select the column and the aggregate separately and combine them when you read.';
end $$;
