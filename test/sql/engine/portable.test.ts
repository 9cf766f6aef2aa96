// PostgreSQL in a WebAssembly module (PGlite), and what pg_dump carries over: the engine is SQL and nothing else.
import { PGlite } from '@electric-sql/pglite'
import { pgDump } from '@electric-sql/pglite-tools/pg_dump'
import { expect, inject, it, onTestFinished } from 'vitest'
import { readEngine } from '../../../server/db/sqlFiles.ts'
import { birth, drifts, exactIn, refreshed, rows } from './life.ts'

async function open(): Promise<PGlite> {
  const lite = await PGlite.create()
  onTestFinished(() => lite.close())
  return lite
}

it('is exact under PGlite, and after a dump and restore goes on as before', async () => {
  const lite = await open()
  await lite.exec(`begin; ${readEngine(inject('projectDir')).map(({ text }) => text).join('\n')}; commit`)
  await lite.exec(birth)
  await lite.exec(rows)
  expect((await lite.query(drifts)).rows).toEqual(exactIn('public'))
  await lite.exec(refreshed)
  expect((await lite.query(drifts)).rows).toEqual(exactIn('public'))

  const dumped = await (await pgDump({ pg: lite })).text()
  const restored = await open()
  await restored.exec(dumped)
  await restored.exec('set search_path = public')
  expect((await restored.query(drifts)).rows).toEqual(exactIn('public'))
  await restored.exec(rows)
  await restored.exec(refreshed)
  expect((await restored.query(drifts)).rows).toEqual(exactIn('public'))
})
