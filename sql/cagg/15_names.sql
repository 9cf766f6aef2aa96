-- Names: how a view is found, what its tables are called.

-- A relation's name as given, taken apart and with its schema, of no more than the 63 bytes that PostgreSQL keeps: `orders` → {public,orders}.
create or replace function cagg._qualified(p_name text) returns text[]
language sql stable strict as $$
  select case cardinality(parts) when 1 then array[current_schema()::text, parts[1]] else parts[1:2] end
  from (select parse_ident(p_name)::name[]::text[] as parts) as parsed
$$;

-- A name with an ending: of one that would be too long with it, the beginning and a hash.
create or replace function cagg._name(p_name text, p_ending text) returns text
language sql immutable as $$
  select case when octet_length(p_name || p_ending) <= 63 then p_name else left(p_name, 8) || '_' || substr(md5(p_name), 1, 16) end || p_ending
$$;

create or replace function cagg._find(p_name text) returns cagg._aggregates
language plpgsql stable as $$
declare
  v_parts text[] := cagg._qualified(p_name);
  v_found cagg._aggregates;
begin
  select * into v_found from cagg._aggregates where view_schema = v_parts[1] and view_name = v_parts[2] and ready;
  if not found then
    raise exception 'there is no continuous aggregate %', p_name using errcode = '42P01',
      hint = 'select view_name from cagg.continuous_aggregates lists those that exist.';
  end if;
  return v_found;
end $$;

create or replace function cagg._store(p_aggregate cagg._aggregates) returns text
language sql immutable as $$ select format('cagg_data.%I', cagg._name(p_aggregate.view_name, '_' || p_aggregate.id)) $$;

-- The view that holds what a root's definition uses.
create or replace function cagg._held(p_aggregate cagg._aggregates) returns text
language sql immutable as $$ select format('cagg_data.%I', cagg._name(p_aggregate.view_name, '_' || p_aggregate.id || '_uses')) $$;

create or replace function cagg._view(p_aggregate cagg._aggregates) returns text
language sql immutable as $$ select format('%I.%I', p_aggregate.view_schema, p_aggregate.view_name) $$;

-- The function of a source's trigger for an event, or the one that folds its tail.
create or replace function cagg._fold_function(p_source text, p_event text) returns text
language sql immutable as $$ select format('cagg_data.%I', 'fold_' || substr(md5(p_source), 1, 8) || '_' || p_event) $$;
