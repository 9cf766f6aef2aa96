// The engine as `create extension cagg`, from the files that `npm run cagg:extension` writes.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import type { Database } from '../../../server/db/database.ts'
import { makeTestDatabase } from '../../support/database.ts'
import { birth, drifts, exactIn, rows } from './life.ts'

let database: Database
let version: number
const shareDir = mkdtempSync(join(tmpdir(), 'cagg-extension-'))
const sql = async (text: string) => (await database.pool.query(text)).rows as Record<string, unknown>[]

beforeAll(async () => {
  database = await makeTestDatabase({ content: 'empty', poolMax: 1 })
  version = Number((await sql('show server_version_num'))[0]?.['server_version_num'])
  chmodSync(shareDir, 0o755)
  execFileSync('npm', ['run', '--silent', 'cagg:extension', '--', join(shareDir, 'extension')], { cwd: inject('projectDir') })
})
afterAll(async () => {
  await database.close()
  rmSync(shareDir, { recursive: true })
})

it('is written as a control file and a script', () => {
  expect(readdirSync(join(shareDir, 'extension')).sort()).toEqual(['cagg--1.0.sql', 'cagg.control'])
})

it('is created, exact, and dropped with what stands on it only when told so', async ({ skip }) => {
  // Before, extensions stand in PostgreSQL's own folder, which is not ours to write to.
  skip(version < 180_000, 'extension_control_path came with PostgreSQL 18')
  await sql(`set extension_control_path = '${shareDir}'; create extension cagg`)
  await sql(birth)
  await sql(rows)
  expect(await sql(drifts)).toEqual(exactIn('public'))
  expect(await sql(`select extconfig::regclass[]::text as kept from pg_extension where extname = 'cagg'`)).toEqual([
    { kept: '{cagg._aggregates,cagg._aggregates_id_seq,cagg._policies}' },
  ])
  // What an aggregate is made of belongs to its user, and is dumped.
  expect(await sql(`select count(*)::int as n from pg_depend where deptype = 'e' and objid = 'readings_1h'::regclass`)).toEqual([{ n: 0 }])

  await expect(sql('drop extension cagg')).rejects.toMatchObject({ code: '2BP01' })
  await sql('drop extension cagg cascade')
  expect(await sql(`select to_regclass('readings_1h') as view, to_regnamespace('cagg_data') as data`)).toEqual([{ view: null, data: null }])
  await sql(`insert into readings (ts, kind, v, who) values ('2026-03-01', 0, 1, 1); delete from readings`)
})
