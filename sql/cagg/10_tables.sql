-- The engine's memory: which continuous aggregates exist, what changed and when, what is kept how long.
-- Everything in schema `cagg` starting with `_` is private; `cagg_data` holds one table of states an aggregate.
create schema if not exists cagg;
create schema if not exists cagg_data;
-- Whoever may read a view may call what it is made of.
grant usage on schema cagg to public;

create table if not exists cagg._aggregates (
  id integer generated always as identity primary key,
  view_schema text not null,
  view_name text not null,
  -- The raw table, as a qualified and quoted name (a name, not an oid: it survives dump and restore).
  source text not null,
  -- The finer aggregate this one is folded from; null: from the source itself.
  parent integer references cagg._aggregates (id),
  definition text not null,
  options jsonb not null,
  -- What the definition was taken apart into; see _shape in 40_shape.sql.
  shape jsonb not null,
  slots integer not null,
  -- Buckets before this were dropped by retention and are neither read nor written.
  retained_from timestamptz not null default '-infinity',
  created_at timestamptz not null default now(),
  -- false: it is folded into, but not yet filled, and not read; see 75_rebuild.sql.
  ready boolean not null default true
);
alter table cagg._aggregates add column if not exists ready boolean not null default true;
alter table cagg._aggregates drop constraint if exists _aggregates_view_schema_view_name_key;
create unique index if not exists _aggregates_view on cagg._aggregates (view_schema, view_name) where ready;

-- What an installation has collected, and which files it came from: a file that is as it was is not run again.
create table if not exists cagg._wanted (
  view_schema text not null,
  view_name text not null,
  definition text not null,
  options jsonb not null,
  n integer generated always as identity primary key
);
create table if not exists cagg._files (
  file text primary key,
  digest text not null,
  views text[] not null default '{}'
);

create table if not exists cagg._policies (
  relation text primary key,
  drop_after interval not null,
  -- Raw rows before this were dropped: aggregates of that time can be added to, but not computed again.
  dropped_before timestamptz not null default '-infinity'
);

-- One line a statement, view and stretch of time; rows that wait in a tail are lines of their own there. Readers ask for
-- transactions that were not visible in their last snapshot and are now, so a hole in commit order can lose nothing and a long
-- transaction delays nobody.
create table if not exists cagg._changes (
  xid xid8 not null default pg_current_xact_id(),
  aggregate integer not null,
  first_bucket text not null,
  last_bucket text not null,
  written_at timestamptz not null default clock_timestamp()
);
-- Rows went, by delete or truncate or into another bucket: who keeps rows by what came and changed must read them anew.
alter table cagg._changes add column if not exists deleted boolean not null default false;
create index if not exists _changes_xid on cagg._changes (xid);

-- The newest transaction whose change lines were trimmed: a cursor that reaches back to it has expired.
create table if not exists cagg._trimmed (
  only_row boolean primary key default true check (only_row),
  xid xid8 not null
);
