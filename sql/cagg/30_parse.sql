-- Takes a definition apart. PostgreSQL itself parses it (a throw-away view) and prints it back in one canonical form
-- (pg_get_viewdef, every name qualified), so what is read here is never the user's spelling: tokens, clauses, items.

-- A throw-away view of a SELECT, so that PostgreSQL parses it; its name holds the backend, so that no two collide.
create or replace function cagg._draft(p_select text, p_name text default 'definition') returns regclass
language plpgsql as $$
declare
  v_name text := format('cagg_data._draft_%s_%s', p_name, pg_backend_pid());
begin
  execute format('drop view if exists %s', v_name);
  execute format('create view %s as %s', v_name, rtrim(p_select, E'; \n\t'));
  return v_name::regclass;
end $$;

-- The tokens of an SQL text in order, with the depth of brackets they stand at; white space is a token, too.
create or replace function cagg._tokens(p_text text)
returns table (n integer, token text, depth integer)
language sql immutable strict parallel safe as $$
  with tokens as (
    select ordinality::integer as n, match[1] as token
    from regexp_matches(
      p_text, $re$('(?:[^']|'')*'|"(?:[^"]|"")*"|[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*|[0-9.]+|\s+|::|.)$re$, 'g'
    ) with ordinality as m (match, ordinality)
  )
  select n, token, (
    sum(case when token in ('(', '[') then 1 when token in (')', ']') then -1 else 0 end) over (order by n)
    - case when token in ('(', '[') then 1 else 0 end
  )::integer
  from tokens
$$;

-- What a view selects, by clause, as PostgreSQL writes it; null: it has none. A clause's keyword starts a line at depth 0 (IS DISTINCT
-- FROM does not start one).
create or replace function cagg._clauses(p_view regclass)
returns table (select_list text, from_list text, condition text, having_condition text, group_list text)
language sql stable strict as $$
  with tokens as (
    select n, token, depth, lag(token) over (order by n) as before from cagg._tokens(rtrim(pg_get_viewdef(p_view, true), '; '))
  ), marked as (
    select *, case
      when depth = 0 and token = 'SELECT' and before ~ '^\s*$' then 'SELECT'
      when depth = 0 and before ~ '\n' and token in ('FROM', 'WHERE', 'GROUP', 'HAVING') then token
    end as starts
    from tokens
  ), numbered as (
    select *, count(starts) over (order by n) as part from marked
  ), clauses as (
    select max(starts) as clause, btrim(string_agg(token, '' order by n) filter (where starts is null), E' \n') as body
    from numbered where part > 0 group by part
  )
  select max(body) filter (where clause = 'SELECT'), max(body) filter (where clause = 'FROM'), max(body) filter (where clause = 'WHERE'),
    max(body) filter (where clause = 'HAVING'), regexp_replace(max(body) filter (where clause = 'GROUP'), '^BY ', '')
  from clauses
$$;

-- The comma-separated items of a list, at depth 0.
create or replace function cagg._items(p_list text)
returns table (n integer, item text)
language sql immutable strict parallel safe as $$
  with tokens as (
    select *, count(*) filter (where token = ',' and depth = 0) over (order by n) as part from cagg._tokens(p_list)
  )
  select part::integer + 1, btrim(coalesce(string_agg(token, '' order by n) filter (where not (token = ',' and depth = 0)), ''), E' \n')
  from tokens group by part
$$;

-- An item of a select list without the name it is given.
create or replace function cagg._unnamed(p_item text, p_name text) returns text
language sql immutable parallel safe as $$
  select case when right(p_item, length(suffix)) = suffix then left(p_item, -length(suffix)) else p_item end
  from (select ' AS ' || quote_ident(p_name) as suffix) as suffixes
$$;

-- The aggregate calls in an expression: where each starts and ends (token numbers), its function, arguments and filter.
create or replace function cagg._calls(p_expression text)
returns table (first_token integer, last_token integer, call text, function text, arguments text[], filter text)
language plpgsql immutable strict parallel safe as $$
declare
  v_tokens text[]; v_depths integer[]; v_i integer := 1; v_j integer; v_end integer; v_last integer;
begin
  select array_agg(t.token order by t.n), array_agg(t.depth order by t.n) into v_tokens, v_depths
  from cagg._tokens(p_expression) as t;
  while v_i <= coalesce(cardinality(v_tokens), 0) loop
    function := case
      when v_tokens[v_i + 1] = '(' and v_tokens[v_i] in
        ('count', 'sum', 'avg', 'min', 'max', 'variance', 'var_samp', 'var_pop', 'stddev', 'stddev_samp', 'stddev_pop', 'bool_and', 'bool_or', 'every', 'array_agg')
        and coalesce(v_tokens[v_i - 1], '') <> '.' then v_tokens[v_i]
      when v_tokens[v_i] = 'cagg' and v_tokens[v_i + 1] = '.' and v_tokens[v_i + 2] in
        ('distinct_sketch', 'approx_count_distinct', 'percentile_sketch', 'approx_percentile', 'first', 'last', 'rollup')
        and v_tokens[v_i + 3] = '(' then 'cagg.' || v_tokens[v_i + 2]
    end;
    if function is not null then
      v_j := v_i + case when function like 'cagg.%' then 3 else 1 end;
      v_end := v_j + 1;
      while not (v_tokens[v_end] = ')' and v_depths[v_end] = v_depths[v_j]) loop v_end := v_end + 1; end loop;
      arguments := array(select item from cagg._items(array_to_string(v_tokens[v_j + 1:v_end - 1], '')) as i order by i.n);
      filter := null;
      v_last := v_end;
      if v_tokens[v_end + 2] = 'FILTER' then
        v_last := v_end + 5;
        while not (v_tokens[v_last] = ')' and v_depths[v_last] = v_depths[v_end + 4]) loop v_last := v_last + 1; end loop;
        -- FILTER (WHERE …): the tokens are FILTER, space, (, WHERE, space, condition, ).
        filter := array_to_string(v_tokens[v_end + 7:v_last - 1], '');
      end if;
      call := array_to_string(v_tokens[v_i:v_last], '');
      first_token := v_i;
      last_token := v_last;
      return next;
      v_i := v_last;
    end if;
    v_i := v_i + 1;
  end loop;
end $$;

-- An expression with its aggregate calls replaced, call by call, as the json object says.
create or replace function cagg._replace_calls(p_expression text, p_replacements jsonb) returns text
language sql immutable strict parallel safe as $$
  select string_agg(
    case when c.call is null then t.token when t.n = c.first_token then p_replacements ->> c.call else '' end, '' order by t.n)
  from cagg._tokens(p_expression) as t
  left join cagg._calls(p_expression) as c on t.n between c.first_token and c.last_token
$$;

-- An expression over a finer aggregate's columns, with those columns replaced as the json object says.
-- p_relation: the name the columns may be qualified with.
create or replace function cagg._replace_columns(p_expression text, p_relation text, p_replacements jsonb) returns text
language sql immutable parallel safe as $$
  with tokens as (
    select n, token,
      lag(token, 1) over (order by n) as before, lag(token, 2) over (order by n) as relation,
      lead(token, 1) over (order by n) as after, lead(token, 2) over (order by n) as member
    from cagg._tokens(p_expression)
  )
  select string_agg(case
    when token = p_relation and after = '.' and p_replacements ? member then ''
    when token = '.' and before = p_relation and p_replacements ? after then ''
    when p_replacements ? token and coalesce(after, '') <> '(' and (coalesce(before, '') <> '.' or relation = p_relation)
      then '(' || (p_replacements ->> token) || ')'
    else token end, '' order by n)
  from tokens
$$;

-- A condition of the definition that cannot be folded ends here, by name and with what to write instead.
create or replace function cagg._refuse(p_what text, p_hint text) returns void
language plpgsql as $$
begin
  raise exception 'a continuous aggregate cannot be defined with %', p_what using errcode = '0A000', hint = p_hint;
end $$;

-- What the parse tree of a view says that its text does not say plainly.
create or replace function cagg._check_foldable(p_view regclass) returns void
language plpgsql as $$
declare
  v_tree text := (select ev_action::text from pg_catalog.pg_rewrite where ev_class = p_view and rulename = '_RETURN');
  v_bad text;
begin
  if v_tree ~ ':aggkind [oh]' then
    perform cagg._refuse('within group', 'Use cagg.approx_percentile(p, x) for percentile_disc and percentile_cont: within 1 % of the value.');
  elsif v_tree ~ ':aggdistinct \(' then
    perform cagg._refuse('count(distinct …)', 'Use cagg.approx_count_distinct(x): exact to 1,024, within 2 % beyond.');
  elsif v_tree ~ ':aggorder \(' then
    perform cagg._refuse('order by inside an aggregate', 'Leave it out; it changes nothing for the aggregates that can be folded.');
  elsif v_tree ~ ':hasWindowFuncs true' then
    perform cagg._refuse('a window function', 'Apply it when you read the continuous aggregate.');
  elsif v_tree ~ ':limit(Count|Offset) \{' then
    perform cagg._refuse('limit or offset', 'Apply it when you read the continuous aggregate.');
  elsif v_tree ~ ':groupingSets \(' then
    perform cagg._refuse('grouping sets', 'Create one aggregate for each set, or join a list: cross join lateral (values (''A'', a), (''B'', b)) as d (dimension, key).');
  elsif v_tree ~ ':distinctClause \(' then
    perform cagg._refuse('select distinct', 'The group by makes rows distinct already.');
  elsif v_tree ~ ':setOperations \{' then
    perform cagg._refuse('union, intersect or except', 'Create one aggregate for each part.');
  elsif v_tree ~ ':cteList \(' then
    perform cagg._refuse('a with clause', 'Write its query into the definition, or join a plain table.');
  elsif v_tree ~ ':hasSubLinks true' then
    perform cagg._refuse('a subquery', 'Join a plain table instead.');
  elsif v_tree ~ ':sortClause \(' then
    perform cagg._refuse('order by', 'Order when you read the continuous aggregate.');
  elsif v_tree ~ ':tablesample \{' then
    perform cagg._refuse('tablesample', 'Every row must be folded; sample when you read.');
  elsif v_tree ~ ':varattno -\d' then
    perform cagg._refuse('a system column', 'Use columns of the row; what PostgreSQL keeps about it is not known to the fold.');
  elsif v_tree ~ ':varattno 0 ' then
    perform cagg._refuse('a whole row', 'Name a column: count(b.id) instead of count(b).');
  elsif v_tree ~ ':jointype [23] ' then
    perform cagg._refuse('a right or full join', 'Name the source first, and left join the other tables.');
  elsif v_tree ~ ':resjunk true' then
    perform cagg._refuse('a group key that is not selected', 'Add it to the select list, or leave it out of the group by.');
  elsif v_tree ~ '\{SQLVALUEFUNCTION' then
    perform cagg._refuse('the current time or user', 'A row''s group must not change by itself; use columns of the row.');
  end if;
  select string_agg(distinct oid::regprocedure::text, ', ') into v_bad
  from regexp_matches(v_tree, ':(?:funcid|opfuncid) (\d+)', 'g') as m
  join pg_catalog.pg_proc on oid = m[1]::oid
  where provolatile = 'v' or oid = 'now()'::regprocedure;
  if v_bad is not null then
    perform cagg._refuse(v_bad, 'It gives another value at each call; a row must always belong to the same group.');
  end if;
  select string_agg(distinct oid::regprocedure::text, ', ') into v_bad
  from regexp_matches(v_tree, ':aggfnoid (\d+)', 'g') as m
  join pg_catalog.pg_proc on oid = m[1]::oid
  where not (pronamespace = 'pg_catalog'::regnamespace and proname in
      ('count', 'sum', 'avg', 'min', 'max', 'variance', 'var_samp', 'var_pop', 'stddev', 'stddev_samp', 'stddev_pop', 'bool_and', 'bool_or', 'every'))
    and not (pronamespace = 'cagg'::regnamespace and proname in
      ('distinct_sketch', 'approx_count_distinct', 'percentile_sketch', 'approx_percentile', 'first', 'last', 'rollup'));
  if v_bad is not null then
    perform cagg._refuse('the aggregate ' || v_bad, 'Use count, sum, avg, min, max, stddev, variance, bool_and, bool_or, cagg.first, cagg.last, '
      'cagg.approx_count_distinct, cagg.distinct_sketch, cagg.approx_percentile or cagg.percentile_sketch.');
  end if;
end $$;

-- Whether an expression means the same in every session: the tail is read in the reader's, with the reader's time zone.
create or replace function cagg._depends_on_session(p_view regclass) returns boolean
language sql stable as $$
  select tree ~ '\{COERCEVIAIO ' or exists (
    select from regexp_matches(tree, ':(?:funcid|opfuncid) (\d+)', 'g') as m
    join pg_catalog.pg_proc on oid = m[1]::oid where provolatile = 's')
  from (select ev_action::text as tree from pg_catalog.pg_rewrite where ev_class = p_view and rulename = '_RETURN') as rules
$$;

-- Whether an expression is a constant that meets a condition.
create or replace function cagg._is_constant(p_expression text, p_condition text) returns boolean
language plpgsql as $$
declare
  v_holds boolean;
begin
  execute format('select (%s) %s', p_expression, p_condition) into v_holds;
  return coalesce(v_holds, false);
exception when others then
  return false;
end $$;

-- The arguments of an expression that is one call of cagg.time_bucket and nothing else; null: it is not.
create or replace function cagg._bucket_arguments(p_expression text) returns text[]
language sql immutable strict parallel safe as $$
  select array(select item from cagg._items(call[1]) order by n)
  from regexp_match(p_expression, '^cagg\.time_bucket\((.*)\)$') as call
  where call is not null and (select count(*) from cagg._tokens(p_expression) where token = ')' and depth = 0) = 1
$$;
