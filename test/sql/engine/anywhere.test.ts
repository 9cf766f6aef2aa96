// Whoever owns it, whoever writes and reads: no superuser, other roles, row level security.
import pg from 'pg'
import { afterAll, beforeAll, expect, inject, it, onTestFinished } from 'vitest'
import { readEngine } from '../../../server/db/sqlFiles.ts'
import type { Database } from '../../../server/db/database.ts'
import { makeTestDatabase } from '../../support/database.ts'
import { birth, drifts, exactIn, refreshed, rows } from './life.ts'

const roles = { owner: `owner_${process.pid}`, writer: `writer_${process.pid}`, reader: `reader_${process.pid}` }
let database: Database

async function as(role: keyof typeof roles): Promise<pg.Client> {
  const url = new URL(database.url)
  url.username = roles[role]
  url.password = 'secret'
  const client = new pg.Client({ connectionString: url.href })
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

beforeAll(async () => {
  database = await makeTestDatabase({ content: 'empty' })
  for (const role of Object.values(roles)) await database.pool.query(`create role ${role} login password 'secret'`)
  await database.pool.query(`do $$ begin execute format('grant create on database %I to ${roles.owner}', current_database()); end $$;
    create schema app authorization ${roles.owner}; grant usage on schema app to ${roles.writer}, ${roles.reader};
    alter role ${roles.owner} set search_path = app`)
})
afterAll(async () => {
  await database.pool.query(`drop owned by ${Object.values(roles).join(', ')} cascade; drop role ${Object.values(roles).join(', ')}`)
  await database.close()
})

it('is installed by a role that is no superuser, with tables in a schema of its own, and is exact', async () => {
  const owner = await as('owner')
  const engine = readEngine(inject('projectDir')).map(({ text }) => text)
  await owner.query(`begin; ${engine.join('\n')}; commit`)
  await owner.query(birth)
  await owner.query(rows)
  expect((await owner.query(drifts)).rows).toEqual(exactIn('app'))
  await owner.query(refreshed)
  expect((await owner.query(drifts)).rows).toEqual(exactIn('app'))
  // A second time over itself.
  await owner.query(`begin; ${engine.join('\n')}; commit`)
  expect((await owner.query(drifts)).rows).toEqual(exactIn('app'))
})

it('folds what a role writes that may do nothing but write', async () => {
  await (await as('owner')).query(`grant select, insert, update, delete on readings to ${roles.writer}`)
  const writer = await as('writer')
  await writer.query(rows.replaceAll('readings', 'app.readings').replace('select cagg.run_maintenance();', ''))
  await expect(writer.query('select * from cagg_data.tail_00000000')).rejects.toThrow(/permission denied/)
  expect((await (await as('owner')).query(drifts)).rows).toEqual(exactIn('app'))
})

it('is read by a role that may do nothing but read the view', async () => {
  const owner = await as('owner')
  await owner.query(`grant select on readings_1h, readings_people to ${roles.reader}; delete from readings where v = (select max(high) from readings_1h)`)
  const reader = await as('reader')
  for (const view of ['readings_1h', 'readings_people']) {
    const text = `select * from app.${view} order by 1, 2`
    expect((await reader.query(text)).rows).toEqual((await owner.query(text)).rows)
  }
  await expect(reader.query('select * from app.readings')).rejects.toThrow(/permission denied/)
})

it('folds all rows of a source with row level security, whatever the writer may see', async () => {
  const owner = await as('owner')
  await owner.query(`alter table readings enable row level security; create policy even on readings to ${roles.writer} using (kind = 0) with check (true)`)
  const writer = await as('writer')
  await writer.query(rows.replaceAll('readings', 'app.readings').replace('select cagg.run_maintenance();', '').replace('kind = 1 - kind, ', ''))
  expect((await owner.query(drifts)).rows).toEqual(exactIn('app'))
})

it('is not defined by a role that sees but some of the rows, and is by one that a policy shows them all', async () => {
  const owner = await as('owner')
  await owner.query('alter table readings force row level security')
  const definition = `select cagg.create_continuous_aggregate('forced', $$
    select cagg.time_bucket('1 day', ts) as bucket, count(*) as n, max(v) as high from readings group by 1 $$)`
  await expect(owner.query(definition)).rejects.toMatchObject({ code: '42501', hint: /policy/ })
  await owner.query(`create policy engine on readings to ${roles.owner} using (true) with check (true)`)
  await owner.query(definition)
  await owner.query(rows)
  expect((await owner.query(drifts)).rows).toEqual([{ view: 'app.forced', drift: 0 }, ...exactIn('app')])
})
