// Random definitions, random statements: whatever is defined and whatever is written, the drift is 0 after each statement.
// PROPERTY_RUNS sets how many; `npm run test:property` runs 1,000. PROPERTY_SEED and PROPERTY_PATH, as a failure tells them, repeat it.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { tailOf, useEngine } from './support.ts'

const engine = useEngine({ aggregates: false })
const runs = Number(process.env['PROPERTY_RUNS'] ?? 15)
const { PROPERTY_SEED: seed, PROPERTY_PATH: path = '' } = process.env
const repeated = seed === undefined ? {} : { seed: Number(seed), path }

const fan = `cross join lateral (values ('A', s.kind), ('B', s.country), ('ALL', '')) as d (dimension, key)`
const joins = 'left join shop.buyers as b on b.id = s.buyer'
const sources = {
  alone: { from: '', keys: ['s.country', 's.kind', `coalesce(s.country, 'none')`, 's.units', 's.units > 2'] },
  joined: { from: joins, keys: ['s.country', 'b.gender', `b.gender || '/' || s.kind`, 's.units % 2'] },
  inner: { from: 'join shop.buyers as b on b.id = s.buyer and b.id % 5 > 0', keys: ['s.country', 'b.gender', 'b.id % 3', 's.units'] },
  fanned: { from: fan, keys: ['d.dimension', 'd.key', 's.units'] },
  both: { from: `${joins} ${fan}`, keys: ['d.key', 'b.gender', 's.kind'] },
}
const aggregates = {
  n: 'count(*)',
  priced: 'count(s.amount)',
  sold: `count(*) filter (where s.kind in ('sale', 'gift'))`,
  amount: 'sum(s.amount)',
  gifts: `sum(s.amount) filter (where s.kind = 'gift')`,
  units: 'sum(s.units)',
  price: 'sum(s.price)',
  average: 'avg(s.amount)',
  spread: 'stddev(s.units)',
  highest: 'max(s.amount)',
  fewest: `min(s.units) filter (where s.kind <> 'gift')`,
  dearest: 'max(s.price)',
  all_sold: 'bool_and(s.units > 0)',
  buyers: 'cagg.approx_count_distinct(s.buyer)',
  whose: 'cagg.distinct_sketch(s.buyer)',
  float_sum: 'sum(s.price::float8)',
  float_average: 'avg(s.amount::real)',
  float_spread: `stddev(s.price::float8) filter (where s.kind <> 'gift')`,
  small_sum: 'sum((s.amount / 3)::real)',
  lowest_float: 'min(s.price::float8)',
  price_average: 'avg(s.price)',
  price_spread: 'var_pop(s.price)',
  ratio_average: 'avg(s.amount / nullif(s.units, 0))',
  opening: 'cagg.first(s.amount, s.ts)',
  closing: `cagg.last(s.kind, s.ts) filter (where s.units > 1)`,
  newest: 'cagg.last(s.price, s.id)',
  p95: 'cagg.approx_percentile(0.95, s.amount)',
  median: `cagg.approx_percentile(0.5, s.price) filter (where s.kind is distinct from 'gift')`,
  prices: 'cagg.percentile_sketch(s.price)',
  doubtful: 'every(s.kind is not null)',
  amounts: 'cagg.approx_count_distinct(s.amount) filter (where s.units > 0)',
  integer_average: 'avg(s.units)',
  longest: `max(s.ts - '2026-03-01 00:00+00'::timestamptz)`,
  time_sum: `sum(s.ts - '2026-03-01 00:00+00'::timestamptz)`,
  first_word: `min(s.kind collate "C")`,
}

/** The aggregate of an aggregate of a finer level. */
function rolled(name: string): string {
  const call = /^[a-z_.]+/.exec(aggregates[name as 'n'])?.[0] ?? ''
  if (call === 'count') return `sum(${name})`
  if (call.endsWith('_sketch')) return `cagg.rollup(${name})`
  if (call === 'cagg.first' || call === 'cagg.last') return `${call}(${name}, bucket)`
  if (call === 'cagg.approx_percentile') return `${call}(${/\(([\d.]+)/.exec(aggregates[name as 'n'])?.[1]}, ${name})`
  return `${call}(${name})`
}

/** A kind of time: its bucket, and the widths that levels above one another may have. */
const widths = ['1 second', '10 seconds', '15 minutes', '1 hour', '1 day', '1 month', '1 year']
const interval = (width: string) => `'${width}'`
const times = {
  timestamptz: { time: 's.ts', rest: '', widths, width: interval },
  local: { time: 's.ts', rest: `, 'Asia/Kathmandu'`, widths: ['15 minutes', '1 hour', '1 day', '1 month'], width: interval },
  'daylight saving': { time: `s.ts + interval '24 days 20 hours'`, rest: `, 'Europe/Berlin'`, widths: ['1 hour', '1 day', '1 month'], width: interval },
  timestamp: { time: `(s.ts at time zone 'UTC')`, rest: '', widths, width: interval },
  offset: { time: 's.ts', rest: `, '5 hours'::interval`, widths: ['1 hour', '1 day'], width: interval },
  origin: { time: 's.ts', rest: `, '2026-03-02 00:00+00'::timestamptz`, widths: ['7 minutes', '49 minutes', '7 days'], width: interval },
  'zone, origin and offset': { time: 's.ts', rest: `, 'Australia/Lord_Howe', '2026-01-01 00:00+00'::timestamptz, '30 minutes'::interval`, widths: ['30 minutes', '1 day'], width: interval },
  date: { time: `(s.ts at time zone 'UTC')::date`, rest: '', widths: ['1 day', '1 week', '1 year'], width: interval },
  'date of the session': { time: 's.ts::date', rest: '', widths: ['1 day', '1 month'], width: interval },
  integer: { time: 's.units - s.buyer', rest: '', widths: ['1', '2', '10', '100'], width: String },
  bigint: { time: 's.id * 1000000', rest: ', 7', widths: ['5000000', '50000000', '100000000'], width: String },
}

const definition = fc.record({
  time: fc.oneof(fc.constant('timestamptz'), fc.constantFrom(...Object.keys(times))),
  /** How many widths of that kind are passed over, before the first level and before each further one. */
  skips: fc.array(fc.nat(3), { minLength: 1, maxLength: 3 }),
  source: fc.constantFrom<keyof typeof sources>('alone', 'joined', 'fanned', 'both'),
  /** Which of the source's keys, by their places. */
  keyPlaces: fc.uniqueArray(fc.nat(4), { maxLength: 3 }),
  aggregates: fc.uniqueArray(fc.constantFrom(...Object.keys(aggregates)), { minLength: 1, maxLength: 5 }),
  where: fc.constantFrom('', '', 'where s.amount > 300', `where s.kind is distinct from 'gift' or s.buyer % 2 = 0`),
  slots: fc.constantFrom(1, 2, 8),
  tailRows: fc.constantFrom(0, 4, 256),
  having: fc.constantFrom('', '', 'having count(*) > 1'),
  /** Of the levels above: which keys they keep, and which finer groups they take. */
  keptPlaces: fc.oneof(fc.constant<number[]>([0, 1, 2]), fc.uniqueArray(fc.nat(2), { maxLength: 2 })),
  levelWhere: fc.constantFrom('', '', 'where k0 is not null', `where k0::text <> 'US' or k0 is null`),
  /** A second level over the first. */
  hasSibling: fc.boolean(),
  /** What is read besides: an expression over the first aggregate. */
  hasExpression: fc.boolean(),
})

type Given = typeof definition extends fc.Arbitrary<infer Value> ? Value : never

const when = fc.constantFrom('', `and ts < '2026-03-02'`, `and ts >= '2026-03-03 12:00'`)
const slice = fc.tuple(fc.integer({ min: 2, max: 9 }), when).map(([n, time]) => `id % ${n} = 0 ${time}`)
const statement = fc.oneof(
  fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 1000 })).map(([n, seed]) => `select shop.fill(${n}, ${seed / 1000})`),
  fc
    .tuple(
      fc.constantFrom(`ts = ts + interval '37 minutes'`, `country = 'FR', kind = null`, 'amount = amount * 2', 'units = units - 1, buyer = buyer % 7 + 1', `price = 'NaN'`, 'price = 1.5', 'price = -price * 1000', 'units = units'),
      slice,
    )
    .map(([change, rows]) => `update shop."Sales" set ${change} where ${rows} and ts < '2026-03-04 20:00'`),
  slice.map((rows) => `delete from shop."Sales" where ${rows}`),
  slice.map((rows) => `with gone as (delete from shop."Sales" where ${rows} returning *) insert into shop."Sales" (ts, country, amount, buyer, units) select ts, 'BE', amount, buyer, units from gone`),
  slice.map((rows) => `insert into shop."Sales" (id, ts, amount, buyer) overriding system value select id, ts, 77, 7 from shop."Sales" where ${rows}
    union all select nextval(pg_get_serial_sequence('shop."Sales"', 'id')), '2026-03-02 07:07+00', 7, 7 on conflict (ts, id) do update set amount = excluded.amount, kind = 'sale'`),
  slice.map((rows) => `merge into shop."Sales" as s using (select id, ts, units from shop."Sales" where ${rows}) as o on s.id = o.id and s.ts = o.ts and o.units <> 3
    when matched and s.units > 2 then delete when matched then update set amount = 42, price = null when not matched then insert (ts, amount, price) values (o.ts, 1, 0)`),
  fc.constantFrom(`insert into shop."Sales" (ts, country, kind, amount, units, buyer, price) values ('2026-03-02 03:04:05+00', 'US', 'sale', 500, 3, 4, 1.25)`,
    `update shop."Sales_p20260302" set amount = amount + 1, units = 4 where id % 3 = 0`, `delete from shop."Sales_p20260303" where id % 2 = 0`, 'truncate shop."Sales_p20260302"',
    `insert into shop."Sales_p20260304" (id, ts, amount, units, buyer, price) overriding system value select nextval(pg_get_serial_sequence('shop."Sales"', 'id')), '2026-03-04 01:00+00', i, i % 5, i % 9, i / 7.0 from generate_series(1, 12) as i`),
  fc.constantFrom('truncate shop."Sales"', 'select cagg.run_maintenance()', 'select cagg.run_maintenance()',
    `select cagg.refresh_continuous_aggregate(view_name, null::text, null::text) from cagg.continuous_aggregates where raw_source like 'shop%'`,
    'begin isolation level repeatable read; select shop.fill(3, 0.1); delete from shop."Sales" where id % 4 = 0; select shop.fill(3, 0.2); update shop."Sales" set units = units + 1 where id % 4 = 1; commit',
    `begin; create table shop.april (like shop."Sales" including defaults); alter table shop.april add column more int; alter table shop.april drop column more;
      insert into shop.april (id, ts, amount, units, buyer) overriding system value select -i, '2026-04-01'::timestamptz + i * interval '1 hour', i, i % 5, i from generate_series(1, 20) as i;
      alter table shop."Sales" attach partition shop.april for values from ('2026-04-01') to ('2026-04-02'); select cagg.run_maintenance(); delete from shop.april; drop table shop.april; commit`, 'begin; select shop.fill(30, 0.5); savepoint s; delete from shop."Sales"; rollback to s; commit'),
)

/** Several aggregates may be on the source at a time. */
const given = fc.tuple(fc.array(definition, { minLength: 1, maxLength: 2 }), fc.array(statement, { minLength: 1, maxLength: 5 }))

it(`has no drift under any of ${runs} definitions and sequences of statements`, { timeout: 30_000 + runs * 5_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(given, async ([definitions, statements]) => {
      await engine.sql(`truncate shop."Sales"; select shop.fill(80, 0.42)`)
      const views: string[] = []
      try {
        for (const [place, one] of definitions.entries()) {
          await engine.sql(tailOf(one.tailRows))
          views.push(...(await create(one, place)))
        }
        for (const text of statements) {
          await engine.sql(text)
          for (const view of views) {
            const [row] = await engine.sql<{ drift: number }>('select cagg.drift($1)::int as drift', [view])
            expect({ view, after: text, ...row }).toEqual({ view, after: text, drift: 0 })
          }
        }
      } finally {
        await engine.sql(`rollback; select cagg.drop_continuous_aggregate(view_name, true) from cagg.continuous_aggregates where view_name like 'shop.any\\__\\_0'`)
      }
    }),
    { numRuns: runs, ...repeated },
  )
})

/** The finest level and those above it; the names of all. */
async function create(given: Given, place: number): Promise<string[]> {
  const { from, ...source } = sources[given.source]
  const keys = source.keys.filter((_, at) => given.keyPlaces.includes(at))
  const { time, rest, width, ...kind } = times[given.time as 'timestamptz']
  const [first = '', ...levels] = levelsOf(kind.widths, given)
  const views: string[] = []
  const make = async (name: string, columns: string[], keyed: number, more: string) => {
    const text = `select ${columns.join(', ')} ${more.replace('GROUP', `group by ${Array.from({ length: keyed + 1 }, (_, at) => at + 1).join(', ')}`)}`
    await engine.sql('select cagg.create_continuous_aggregate($1, $2, $3)', [`shop.${name}`, text, { slots: given.slots }])
    views.push(`shop.${name}`)
  }
  const measures = (call: (name: string) => string) => [
    ...given.aggregates.map((name) => `${call(name)} as ${name}`),
    ...(given.hasExpression ? [`(${call(given.aggregates[0] as string)}) is null as is_empty`] : []),
  ]
  await make(
    `any_${place}_0`,
    [`cagg.time_bucket(${width(first)}, ${time}${rest}) as bucket`, ...keys.map((key, at) => `${key} as k${at}`), ...measures((name) => aggregates[name as 'n'])],
    keys.length,
    `from shop."Sales" as s ${from} ${given.where} GROUP ${given.having}`,
  )
  let names = keys.map((_, at) => `k${at}`)
  for (const [index, coarser] of levels.entries()) {
    const finer = names
    names = names.filter((_, at) => given.keptPlaces.includes(at))
    const columns = [`cagg.time_bucket(${width(coarser)}, bucket${rest}) as bucket`, ...names, ...measures(rolled)]
    const more = `from shop.any_${place}_${index} ${finer.includes('k0') ? given.levelWhere : ''} GROUP`
    await make(`any_${place}_${index + 1}`, columns, names.length, more)
    if (given.hasSibling && index === 0) await make(`any_${place}_sibling`, [columns[0] as string, ...measures(rolled)], 0, `from shop.any_${place}_0 GROUP`)
  }
  return views
}

/** The widths that are taken, each coarser than the one before. Nothing is folded from an aggregate with a having clause. */
function levelsOf(all: string[], { skips, having }: Given): string[] {
  const chosen: string[] = []
  let at = -1
  for (const skip of skips) {
    at += 1 + skip
    if (at < all.length) chosen.push(all[at] as string)
  }
  return (chosen.length > 0 ? chosen : all.slice(0, 1)).slice(0, having === '' ? 3 : 1)
}
