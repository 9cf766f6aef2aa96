// Catalogue, views and raw rows agree: a name in one is a name in all.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../../server/db/index.ts'
import { catalogue, METRICS } from '../../server/metrics/catalogue.ts'
import { type Family, families, readTerm } from '../../server/metrics/families.ts'
import { LEVELS } from '../../server/metrics/levels.ts'
import { isoDuration } from '../../server/metrics/spans.ts'
import { makeTestDatabase } from '../support/database.ts'
import { makeShop } from './windowsKit.ts'

const all: Family[] = Object.values(families)
const HOUR_MS = 3_600_000

describe('the catalogue', () => {
  test('has one entry for every metric, with words for people', () => {
    expect(catalogue.map(({ metric }) => metric).sort()).toEqual([...METRICS].sort())
    for (const { metric, title, definition, sources } of catalogue) {
      expect(title, metric).toMatch(/^[A-Z][\w -]+$/)
      expect(definition, metric).toMatch(/\.$/)
      expect(sources, metric).not.toEqual([])
    }
  })

  test('offers a dimension only where some relation has its column', () => {
    for (const { metric, over, under = [], dimensions } of catalogue) {
      for (const { family, measure } of [...over, ...under].map(readTerm)) {
        expect(family.measures[measure], `${metric}: ${measure}`).toBeDefined()
        for (const dimension of dimensions) {
          expect(
            family.relations.some(({ columns }) => dimension in columns),
            `${metric} by ${dimension}`,
          ).toBe(true)
        }
      }
    }
  })

  test('calls ratios what has something under the line', () => {
    for (const { metric, kind, under } of catalogue) expect(kind === 'RATIO', metric).toBe(under !== undefined)
  })
})

describe('the views', () => {
  let database: Database
  const start = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - HOUR_MS

  beforeAll(async () => {
    database = await makeTestDatabase()
    const shop = makeShop(database)
    await shop.open(start - HOUR_MS, start + HOUR_MS)
    const pick = <T>(index: number, from: T[]) => from[index % from.length]!
    const sessions = Array.from({ length: 7 }, () => randomUUID())
    await shop.addEvents(
      Array.from({ length: 210 }, (_, index) => ({
        at: start + index * 250,
        type: pick(index, ['home', 'product', 'cart', 'purchase', 'error', 'signup', 'cancel', 'page_view']),
        session: pick(index, [...sessions, null]),
        user: pick(index, [sessions[0]!, null]),
        country: pick(index, ['China', 'Brasil', null]),
        browser: pick(index, ['Chrome', null, 'Safari', 'IE', 'Other']),
        source: pick(index, ['Email', 'Adwords', null]),
        amount: pick(index, [1.25, null, 0.1]),
      })),
    )
    const users = await Promise.all(
      [12, 17, 18, 30, 44, 54, 64, 70].map((age, index) =>
        shop.addUser({
          age,
          gender: pick(index, ['F', 'M']),
          country: pick(index, ['China', 'Japan']),
          source: pick(index, ['Search', 'Email']),
        }),
      ),
    )
    for (const [index, user] of users.entries()) {
      await shop.addOrder({
        at: start + index * 400,
        user,
        status: pick(index, ['PROCESSING', 'SHIPPED', 'COMPLETE', 'CANCELLED', 'RETURNED']),
        price: 10.05 + index,
        cost: 3.3,
        category: pick(index, ['Jeans', 'Socks']),
        department: pick(index, ['Men', 'Women']),
        brand: pick(index, ['Acme', null]),
      })
    }
  })
  afterAll(() => database.close())

  test('come at every level, with the columns the catalogue reads', async () => {
    const { rows } = await database.pool.query<{ view: string; column_name: string }>(
      `select table_schema || '.' || table_name as view, column_name from information_schema.columns where table_schema = 'metrics'`,
    )
    const columnsOf = (view: string) => rows.filter((row) => row.view === view).map((row) => row.column_name)
    for (const { measures, relations } of all) {
      for (const relation of relations) {
        for (const { name } of LEVELS) {
          const keys =
            relation.layout === 'long'
              ? ['dimension', 'key']
              : relation.layout === 'wide'
                ? Object.values(relation.columns)
                : []
          expect(columnsOf(`${relation.view}_${name}`), relation.view).toEqual(
            expect.arrayContaining(['bucket', ...keys, ...Object.keys(measures)]),
          )
        }
      }
    }
  })

  test('are kept as long as the levels say', async () => {
    const { rows } = await database.pool.query<{ view_name: string; kept_ms: number | null }>(
      `select view_name, (extract(epoch from retention) * 1000)::float8 as kept_ms from cagg.continuous_aggregates`,
    )
    const kept = new Map(rows.map((row) => [row.view_name, row.kept_ms ?? Infinity]))
    for (const { relations } of all) {
      for (const { view } of relations)
        for (const { name, keepMs } of LEVELS) expect(kept.get(`${view}_${name}`), `${view}_${name}`).toBe(keepMs)
    }
  })

  test('say the same as the raw rows, in every dimension', async () => {
    for (const { name, measures, relations } of all) {
      const raw = relations.find(({ layout }) => layout === 'raw')
      if (raw?.layout !== 'raw') continue
      for (const relation of relations) {
        if (relation === raw) continue
        for (const [dimension, column] of Object.entries(relation.columns)) {
          const key = relation.layout === 'long' ? 'key' : column
          const where = relation.layout === 'long' ? `where dimension = '${dimension}'` : ''
          const ofView = Object.entries(measures).map(([measure, { kind }]) =>
            kind === 'distinct'
              ? `cagg.distinct_count(cagg.rollup(${measure})) as ${measure}`
              : `coalesce(sum(${measure}), 0) as ${measure}`,
          )
          const ofRows = Object.entries(measures).map(([measure, { kind }]) =>
            kind === 'distinct'
              ? `count(distinct ${measure}) as ${measure}`
              : `coalesce(sum(${measure}), 0) as ${measure}`,
          )
          const values = (sql: string) =>
            database.pool
              .query(sql)
              .then(({ rows }) =>
                rows.map((row) =>
                  Object.entries(row).map(([column, value]) => (column === 'key' ? value : Number(value))),
                ),
              )
          const view = await values(
            `select ${key} as key, ${ofView.join(', ')} from ${relation.view}_1s ${where} group by 1 order by 1`,
          )
          const rows = await values(
            `select ${raw.columns[dimension as keyof typeof raw.columns]} as key, ${ofRows.join(', ')} from (${raw.select}) as raw group by 1 order by 1`,
          )
          expect(view.length, `${name} by ${dimension}`).toBeGreaterThan(1)
          expect(view, `${name} by ${dimension}`).toEqual(rows)
        }
      }
    }
  })
})

test('durations are written as ISO 8601 says', () => {
  expect([0, 1_000, 90_000, 3_600_000, 86_400_000, 90_061_500].map(isoDuration)).toEqual([
    'PT0S',
    'PT1S',
    'PT1M30S',
    'PT1H',
    'P1D',
    'P1DT1H1M1.5S',
  ])
})
