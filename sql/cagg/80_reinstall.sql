-- A newer engine writes better trigger functions: those of each source are written again; unchanged ones are left alone.
select cagg._install_triggers(source) from (select distinct source from cagg._aggregates) as sources;
