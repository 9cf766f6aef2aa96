// Events that PostgreSQL copies within itself, so that no client's processor time stands between a bench and the rate it asks for.
import type pg from 'pg'
import { makeEvents } from '../../load/events.ts'
import { copyInto } from './rows.ts'

const poolRows = 20_000

/** Makes bench_pool.write(rows, at): one insert of so many events, spread over the second from `at`, with ids and sessions of their own. */
export async function fillPool(client: pg.Client): Promise<void> {
  await client.query(
    `create schema bench_pool; create table bench_pool.events as select *, 0 as n from public.events with no data`,
  )
  await copyInto(client, 'bench_pool.events', makeEvents('pool').copy(poolRows, Date.now(), 0))
  await client.query(`
    update bench_pool.events set n = numbered.n from (select ctid as place, row_number() over () as n from bench_pool.events) as numbered where ctid = place;
    create procedure bench_pool.write(p_rows int, p_at timestamptz) language plpgsql as $$
    begin
      insert into public.events (id, created_at, event_type, user_id, session_id, sequence_number, country, state, city, postal_code,
        ip_address, browser, traffic_source, uri, amount)
      select gen_random_uuid(), p_at + make_interval(secs => ((i - 1) * ${poolRows} + n)::float8 / p_rows), event_type, user_id,
        md5(session_id::text || p_at)::uuid, sequence_number, country, state, city, postal_code, ip_address, browser, traffic_source, uri, amount
      from generate_series(1, ceil(p_rows / ${poolRows}.0)::int) as i join bench_pool.events on (i - 1) * ${poolRows} + n <= p_rows;
    end $$;
    analyze bench_pool.events`)
}
