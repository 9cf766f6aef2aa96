-- The tail of a source: rows of small statements wait here as they came, until some five hundred of them are folded at once. Folding
-- one row costs nearly as much as folding hundreds, so a writer of single rows pays a short append instead, and one in five hundred
-- folds for all. Readers lose nothing: a view is its states and the fold of the tail together, in one snapshot.
-- The idea is that of the log-structured merge tree: O'Neil et al., "The log-structured merge-tree" (1996).

-- How many rows wait on average. Statements of more rows are folded at once; 0: all are.
create or replace function cagg._tail_rows() returns integer
language sql immutable
return 512;

create or replace function cagg._tail(p_source text) returns text
language sql immutable as $$ select format('cagg_data.%I', 'tail_' || substr(md5(p_source), 1, 8) || '_' || cagg._shape_version()) $$;

-- The source's columns that the tail keeps: those that any definition uses. Two of its own make each of its rows a line of the
-- change log as well.
create or replace function cagg._tail_columns(p_source text) returns text
language sql stable as $$
  select string_agg(quote_ident(attname), ', ' order by attnum) from pg_catalog.pg_attribute
  where attrelid = to_regclass(cagg._tail(p_source)) and attnum > 0 and not attisdropped and attname not in ('cagg_xid', 'cagg_at')
$$;

-- Folds what waits in the tail, if there is one.
create or replace function cagg._fold_tail(p_source text) returns void
language plpgsql as $$
begin
  -- Not while a truncate makes an end of it.
  if pg_try_advisory_xact_lock_shared(hashtext('cagg.tail'), hashtext(p_source)) and to_regprocedure(cagg._fold_function(p_source, 'tail') || '()') is not null then
    execute format('select %s()', cagg._fold_function(p_source, 'tail'));
  end if;
end $$;

-- Makes the tail, or gives it the columns that one more definition uses. The caller has locked writers of the source out.
create or replace function cagg._widen_tail(p_source text, p_uses jsonb) returns void
language plpgsql as $$
declare
  v_column record;
begin
  if to_regclass(cagg._tail(p_source)) is null then
    execute format('create table %s (cagg_xid xid8 not null default pg_current_xact_id(), cagg_at timestamptz not null default clock_timestamp()) '
      'with (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0, vacuum_truncate = false)', cagg._tail(p_source));
  else
    perform cagg._fold_tail(p_source);
  end if;
  for v_column in
    select attname, format_type(atttypid, atttypmod) as type, (
      select format(' collate %I.%I', nspname, collname) from pg_catalog.pg_collation as c
      join pg_catalog.pg_namespace as s on s.oid = c.collnamespace where c.oid = attcollation) as collation
    from pg_catalog.pg_attribute
    where attrelid = p_source::regclass and p_uses ? attname and attnum > 0 and not attisdropped order by attnum
  loop
    execute format('alter table %s add column if not exists %I %s%s', cagg._tail(p_source), v_column.attname, v_column.type, v_column.collation);
  end loop;
end $$;
