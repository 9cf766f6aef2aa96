// Statements that do more than they say: cascades, triggers, several changes at once, transactions in two phases.
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { from as copyFrom } from 'pg-copy-streams'
import { beforeAll, expect, it } from 'vitest'
import { connectForTest } from '../../support/database.ts'
import { useEngine } from './support.ts'

const engine = useEngine()
beforeAll(() =>
  engine.sql(`
    create table shop.accounts (id int primary key, owner text);
    create table shop.payments (id int generated always as identity primary key, ts timestamptz default '2026-03-01 10:00+00',
      account int references shop.accounts on delete cascade on update cascade, payee int references shop.accounts on delete set null, amount numeric(10, 2));
    insert into shop.accounts select i, 'owner ' || i % 3 from generate_series(1, 40) as i;
    select cagg.create_continuous_aggregate('shop.payments_1h', $$
      select cagg.time_bucket('1 hour', ts) as bucket, account, payee, count(*) as n, sum(amount) as amount, max(amount) as highest,
        cagg.approx_percentile(0.5, amount) as median, cagg.last(amount, ts) as last from shop.payments group by 1, 2, 3 $$);
    select cagg.create_continuous_aggregate('shop.payments_1d', $$
      select cagg.time_bucket('1 day', bucket) as bucket, sum(n) as n, sum(amount) as amount, max(highest) as highest,
        cagg.approx_percentile(0.5, median) as median, cagg.last(last, bucket) as last from shop.payments_1h group by 1 $$);
    insert into shop.payments (ts, account, payee, amount)
    select '2026-03-01'::timestamptz + i * interval '7 minutes', 1 + i % 40, 1 + i % 7, i from generate_series(1, 600) as i`),
)

it.each([
  ['a cascading delete', 'delete from shop.accounts where id between 10 and 12'],
  ['a cascading update of the key', 'update shop.accounts set id = id + 100 where id between 20 and 25'],
  ['a cascade that sets NULL', `update shop.payments set account = null where payee = 5; delete from shop.accounts where id = 5`],
  ['a delete that cascades to some of its own rows', 'with gone as (delete from shop.payments where account = 30) delete from shop.accounts where id in (30, 31)'],
  [
    'a merge that inserts, updates and deletes',
    `merge into shop.payments as p using (select id, amount from shop.payments where id % 4 = 0 union all select -i, i from generate_series(1, 20) as i) as given
     on p.id = given.id when matched and given.amount > 300 then delete when matched then update set amount = given.amount * 2, ts = p.ts + interval '2 hours'
     when not matched then insert (account, amount) values (1, given.amount)`,
  ],
  ['a merge that does nothing', `merge into shop.payments as p using (select -1 as id) as given on p.id = given.id when matched then delete`],
  [
    'an upsert that inserts some and updates others',
    `insert into shop.payments (id, account, amount) overriding system value select i, 2, i from generate_series(550, 700) as i
     on conflict (id) do update set amount = shop.payments.amount + excluded.amount, account = 3 where shop.payments.id % 2 = 0;
     alter table shop.payments alter id restart with 10000`,
  ],
  ['an upsert that does nothing', 'insert into shop.payments (id, amount) overriding system value select id, 1 from shop.payments on conflict do nothing'],
  [
    'a writable CTE that inserts, updates and deletes',
    `with new as (insert into shop.payments (account, amount) select 4, i from generate_series(1, 30) as i returning id),
       changed as (update shop.payments set amount = amount + 1, account = 1 where id % 7 = 1 returning id),
       gone as (delete from shop.payments where id % 7 = 2 returning *)
     update shop.payments set payee = 2 where id % 7 = 3`,
  ],
  ['a row that two parts of a statement touch', `with first as (update shop.payments set amount = 1000 where id % 9 = 0 returning id) delete from shop.payments where id % 9 in (0, 1)`],
  ['an update from a join', `update shop.payments as p set amount = p.amount + a.id, ts = ts - interval '1 day' from shop.accounts as a where a.id = p.account and a.owner = 'owner 1'`],
  ['statements that touch no row', `update shop.payments set amount = 0 where false; delete from shop.payments where false; insert into shop.payments (amount) select 1 where false`],
  ['a function that writes in a loop', `do $$ begin for i in 1..20 loop insert into shop.payments (account, amount) values (i % 3 + 1, i); update shop.payments set amount = amount + 1 where account = i % 3 + 1; end loop; end $$`],
  ['a block whose exception is caught', `do $$ begin begin insert into shop.payments (account, amount) select 1, 5 from generate_series(1, 10); perform 1 / 0; exception when division_by_zero then null; end; delete from shop.payments where amount = 5; end $$`],
  [
    'triggers of its own that change rows and write again',
    `create function shop.round() returns trigger language plpgsql as $$ begin new.amount := round(new.amount); new.ts := new.ts + interval '1 minute'; return new; end $$;
     create trigger round before insert or update on shop.payments for each row execute function shop.round();
     create function shop.fee() returns trigger language plpgsql as $$ begin if new.amount > 20 then insert into shop.payments (account, amount) values (new.account, new.amount / 10); end if; return null; end $$;
     create trigger fee after insert on shop.payments for each row execute function shop.fee();
     insert into shop.payments (account, amount) select 1 + i % 3, i * 3.3 from generate_series(1, 300) as i; update shop.payments set amount = amount + 0.5 where id % 3 = 0;
     drop trigger round on shop.payments; drop trigger fee on shop.payments`,
  ],
  ['writes through a view', `create view shop.recent as select id, ts, account, amount from shop.payments where ts > '2026-03-01 12:00+00'; insert into shop.recent (ts, account, amount) values ('2026-03-02', 1, 9); update shop.recent set amount = 7 where id % 8 = 0; delete from shop.recent where id % 8 = 1`],
])('is exact after %s', async (_title, statement) => {
  await engine.sql(statement)
  await engine.expectExact()
})

it('is exact after COPY', async () => {
  const client = await connectForTest(engine.database)
  for (const rows of [3, 2000]) {
    const lines = Array.from({ length: rows }, (_, i) => `2026-03-02 ${String(i % 24).padStart(2, '0')}:00+00\t${1 + (i % 4)}\t${i % 10 === 0 ? '\\N' : i / 4}\n`)
    await pipeline(Readable.from(lines), client.query(copyFrom('copy shop.payments (ts, account, amount) from stdin')))
    await engine.expectExact()
  }
})

it.each(['repeatable read', 'serializable'])('is exact after writes under %s', async (level) => {
  const client = await connectForTest(engine.database)
  await client.query(`begin isolation level ${level}; insert into shop.payments (account, amount) values (1, 3), (2, 4)`)
  await client.query(`update shop.payments set amount = 5 where id % 6 = 0; delete from shop.payments where id % 6 = 1; commit`)
  await engine.expectExact()
})

it('counts what a savepoint kept and not what it took back, however they are nested', async () => {
  const client = await connectForTest(engine.database)
  await client.query(`begin; savepoint a; insert into shop.payments (account, amount) values (1, 1); savepoint b; delete from shop.payments where id % 5 = 0;
    rollback to b; savepoint c; update shop.payments set amount = 8 where id % 5 = 1; release c; savepoint d; truncate shop.payments; rollback to d; release a;
    insert into shop.payments (account, amount) values (2, 2); commit`)
  await engine.expectExact()
})

it('counts a prepared transaction once it is committed, and never when it is rolled back', async ({ skip }) => {
  const [setting] = await engine.sql<{ max: number }>(`select current_setting('max_prepared_transactions')::int as max`)
  skip(setting?.max === 0, 'this server has max_prepared_transactions = 0')
  const client = await connectForTest(engine.database)
  const total = async () => (await engine.sql('select sum(n)::int as n from shop.payments_1d'))[0]?.['n'] as number
  const before = await total()
  const prepare = async (name: string) => {
    await client.query(`begin; insert into shop.payments (account, amount) select 1, i from generate_series(1, 500) as i;
      insert into shop.payments (account, amount) values (1, 1); delete from shop.payments where id % 10 = 0; update shop.payments set amount = 0 where id % 10 = 1`)
    await client.query(`prepare transaction '${name}'`)
  }
  await prepare('engine_kept')
  expect(await total()).toBe(before)
  await engine.expectExact()
  await engine.sql(`insert into shop.payments (account, amount) select 2, i from generate_series(1, 300) as i`)
  await engine.expectExact()
  await client.query(`commit prepared 'engine_kept'`)
  await engine.expectExact()
  const kept = await total()
  await prepare('engine_gone')
  await client.query(`rollback prepared 'engine_gone'`)
  expect(await total()).toBe(kept)
  await engine.sql('select cagg.run_maintenance()')
  await engine.expectExact()
})
