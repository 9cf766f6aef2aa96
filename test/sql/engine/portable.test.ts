// PostgreSQL in a WebAssembly module (PGlite), and what pg_dump carries over: the engine is SQL and nothing else.
import { PGlite } from '@electric-sql/pglite'
import { pgDump } from '@electric-sql/pglite-tools/pg_dump'
import { expect, inject, it, onTestFinished } from 'vitest'
import { readEngine } from '../../../server/db/sqlFiles.ts'
import { birth, drifts, exactIn, refreshed, rows } from './life.ts'

// Making one takes most of the time.
it('is exact under PGlite, and after a dump and restore goes on as before', { timeout: 120_000 }, async () => {
  const lite = await PGlite.create()
  onTestFinished(() => lite.close())
  const engine = readEngine(inject('projectDir')).map(({ text }) => text)
  await lite.exec(`begin; ${engine.join('\n')}; commit`)
  await lite.exec(birth)
  await lite.exec(rows)
  expect((await lite.query(drifts)).rows).toEqual(exactIn('public'))
  await lite.exec(refreshed)
  expect((await lite.query(drifts)).rows).toEqual(exactIn('public'))

  const dumped = await (await pgDump({ pg: lite })).text()
  // pg_dump leaves its transaction open.
  await lite.exec('rollback; reset all')
  await lite.exec('drop schema cagg, cagg_data, public cascade; create schema public')
  await lite.exec(dumped)
  await lite.exec('set search_path = public')
  expect((await lite.query(drifts)).rows).toEqual(exactIn('public'))
  await lite.exec(rows)
  await lite.exec(refreshed)
  expect((await lite.query(drifts)).rows).toEqual(exactIn('public'))
})
