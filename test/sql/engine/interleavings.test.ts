// Every order in which the steps of two transactions, a cleaning and a compaction can follow each other: whatever the order, nobody waits,
// and each commit leaves the aggregates exact. And every moment of a writer's transaction at which an aggregate can be created,
// refreshed, built beside or part of its rows be dropped: that may wait for the writer, and is as exact.
import type pg from 'pg'
import { beforeAll, expect, it } from 'vitest'
import { connectForTest } from '../../support/database.ts'
import { useEngine } from './support.ts'

const engine = useEngine({ aggregates: false, tailRows: 3 })

beforeAll(() =>
  engine.sql(`
    create table shop.readings (ts timestamptz not null, v int);
    select cagg.create_continuous_aggregate('shop.readings_1m', $$
      select cagg.time_bucket('1 minute', ts) as bucket, count(*) as n, min(v) as low, max(v) as high, cagg.approx_count_distinct(v) as kinds
      from shop.readings group by 1 $$);
    select cagg.create_continuous_aggregate('shop.readings_1h', $$
      select cagg.time_bucket('1 hour', bucket) as bucket, sum(n) as n, min(low) as low, max(high) as high from shop.readings_1m group by 1 $$)`),
)

const insert = (v: number) => `insert into shop.readings values ('2026-03-01 10:00+00', ${v})`
const remove = (v: number) => `delete from shop.readings where v = ${v}`
const change = (from: number, to: number) => `update shop.readings set v = ${to} where v = ${from}`
const maintain = [
  `do $$ declare a cagg._aggregates; begin
    for a in select * from cagg._aggregates where view_schema = 'shop' and not cagg._is_additive(shape) order by id loop perform cagg._clean(a); end loop;
    for a in select * from cagg._aggregates where view_schema = 'shop' and cagg._has_sketch(shape) loop execute cagg._compact_sql(a); end loop;
  end $$`,
]

/** All merges of the sequences that keep the order within each. */
function merges(sequences: string[][]): [who: number, what: string][][] {
  if (sequences.every((sequence) => sequence.length === 0)) return [[]]
  return sequences.flatMap((sequence, who) => {
    const [what, ...rest] = sequence
    return what === undefined ? [] : merges(sequences.with(who, rest)).map((tail): [number, string][] => [[who, what], ...tail])
  })
}

const cases: [string, string[], string[]][] = [
  ['removals of both ends', [remove(5), 'commit'], [remove(1), 'commit']],
  ['a removal and an insert of the minimum', [remove(1), 'commit'], [insert(1), 'commit']],
  ['updates that pass each other', [change(1, 3), 'commit'], [change(5, 2), 'commit']],
  ['an insert taken back, and a removal', [insert(0), remove(0), 'commit'], [remove(1), 'commit']],
  ['a removal rolled back, and another', [remove(1), 'rollback'], [remove(5), 'commit']],
]

for (const [isolation, mayRetry, some] of [
  ['read committed', false, cases],
  ['repeatable read', true, cases.slice(0, 1)],
  ['serializable', true, cases.slice(0, 1)],
] as const)
  it.each(some)(`stays exact under ${isolation} in every order of %s`, async (_title, first, second) => {
    const clients = await Promise.all([0, 1, 2].map(() => connectForTest(engine.database)))
    for (const client of clients) await client.query(`set lock_timeout = '500ms'; set default_transaction_isolation = '${isolation}'`)
    const [one, two, keeper] = clients as [pg.Client, pg.Client, pg.Client]
    await keeper.query(`set default_transaction_isolation = 'read committed'`)
    for (const order of merges([first, second, maintain])) {
      await engine.sql(`truncate shop.readings; ${insert(1)}; ${insert(5)}; ${insert(5)}; ${insert(4)}; ${remove(4)}`)
      await Promise.all([one, two].map((client) => client.query('begin; select 1')))
      const told: string[] = []
      for (const [who, what] of order) {
        told.push(`${'ABM'[who]}: ${what}`)
        const failure = await clients[who]?.query(what).then(() => undefined, (error: pg.DatabaseError) => error)
        const fine = !failure || (mayRetry && ['40001', '25P02'].includes(failure.code ?? ''))
        expect({ told, failure: fine ? undefined : failure?.message }).toEqual({ told, failure: undefined })
        if (what !== 'commit' && what !== maintain[0]) continue
        const drifts = await engine.sql(`select cagg.drift('shop.readings_1m')::int as minute, cagg.drift('shop.readings_1h')::int as hour`)
        expect({ told, drifts }).toEqual({ told, drifts: [{ minute: 0, hour: 0 }] })
      }
    }
    await engine.sql('select cagg.run_maintenance()')
    await engine.expectExact()
  })

beforeAll(() =>
  engine.sql(`
    create table shop.days (ts timestamptz not null, v int) partition by range (ts);
    select cagg.create_continuous_aggregate('shop.days_1h', $$
      select cagg.time_bucket('1 hour', ts) as bucket, count(*) as n, min(v) as low from shop.days group by 1 $$)`),
)

const days = (and = '') => `select sum(n)::int as n from shop.days_1h ${and}`
const old = `where bucket < '2026-03-02'`
const moments: [string, string][] = [
  ['an aggregate is created', `select cagg.create_continuous_aggregate('shop.days_1m', 'select cagg.time_bucket(''1 minute'', ts) as bucket, count(*) as n, min(v) as low from shop.days group by 1')`],
  [
    'an aggregate with retention is created',
    `select cagg.create_continuous_aggregate('shop.days_1m', 'select cagg.time_bucket(''1 minute'', ts) as bucket, count(*) as n, min(v) as low from shop.days group by 1', '{"retention": "1000 years"}')`,
  ],
  ['the aggregate is refreshed', `select cagg.refresh_continuous_aggregate('shop.days_1h', null::text, null::text)`],
  ['the tail is folded and maintenance is done', 'select cagg.run_maintenance()'],
  ['a partition is dropped', `select cagg.add_retention_policy('shop.days', (now() - '2026-03-02')::interval); select cagg.run_maintenance()`],
]

for (const isolation of ['read committed', 'repeatable read'])
  it.each(isolation === 'read committed' ? moments : moments.slice(1, 3))(`stays exact when %s at any moment of a transaction under ${isolation}`, async (title, work) => {
    const isDropped = title === 'a partition is dropped'
    const [writer, other] = (await Promise.all([0, 1].map(() => connectForTest(engine.database)))) as [pg.Client, pg.Client]
    const pid = (await other.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid
    const waits = async () => {
      for (;;) {
        const [row] = await engine.sql<{ is: boolean }>(`select wait_event_type = 'Lock' as is from pg_stat_activity where pid = $1`, [pid])
        if (row?.is) return
      }
    }
    const write = (text: string) => () => writer.query(text).then(() => true, (error: pg.DatabaseError) => {
      expect(isolation).toBe('repeatable read')
      expect(['40001', '25P02']).toContain(error.code)
      return false
    })
    const steps = [
      `begin isolation level ${isolation}; select 1`,
      // Where the old day is dropped, no row of it could come any more.
      `insert into shop.days values ('2026-03-0${isDropped ? 2 : 1} 10:00+00', 0), ('2026-03-02 10:00+00', 0)`,
      `delete from shop.days where ts >= '2026-03-02' and v = 1`,
      `update shop.days set v = v + 10 where ts >= '2026-03-02' and v = 2`,
      'commit',
    ].map(write)
    for (let moment = 0; moment <= steps.length; moment++) {
      await engine.sql(`
        select cagg.drop_continuous_aggregate(view_name) from cagg.continuous_aggregates where view_name = 'shop.days_1m';
        select cagg.remove_retention_policy('shop.days'), cagg.ensure_partitions('shop.days', '2026-03-01', '2026-03-02');
        truncate shop.days;
        insert into shop.days select d + i * interval '1 minute', i from generate_series(1, 5) as i, unnest('{2026-03-01 10:00+00, 2026-03-02 10:00+00}'::timestamptz[]) as d`)
      let done: Promise<unknown> | undefined
      let committed = true
      for (const [place, step] of [...steps, () => Promise.resolve(true)].entries()) {
        if (place === moment) await Promise.race([(done = other.query(work)), waits()])
        committed = (await step()) && committed
      }
      await done
      const late = committed && !isDropped ? 1 : 0
      expect({ moment, old: await engine.sql(days(old)), all: await engine.sql(days()) }).toEqual({ moment, old: [{ n: 5 + late }], all: [{ n: 10 + (committed ? 1 : 0) }] })
      const drifts = await engine.sql(`select view_name, cagg.drift(view_name)::int as drift from cagg.continuous_aggregates where raw_source = 'shop.days'`)
      expect({ moment, drifts: drifts.filter(({ drift }) => drift !== 0) }).toEqual({ moment, drifts: [] })
    }
  })
