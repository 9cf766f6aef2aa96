-- The folder runs again at each start. What it makes is told from what an older engine left by the number of this
-- transaction; bodies are checked when all functions of this engine stand (80_reinstall.sql), not against a mixture.
select set_config('cagg.installing', pg_current_xact_id()::xid::text, false);
set check_function_bodies = off;
