// Installing the engine over an older one.
import { expect, inject, it } from 'vitest'
import { readEngine } from '../../../server/db/sqlFiles.ts'
import { useEngine } from './support.ts'

const engine = useEngine()
const install = () =>
  engine.sql(
    `begin; ${readEngine(inject('projectDir'))
      .map(({ text }) => text)
      .join('\n')}; commit`,
  )

it('builds what an older engine kept otherwise again, from the raw rows, trees and all', async () => {
  await engine.sql('select shop.fill(300, 0.1)')
  const names = () => engine.sql('select view_name from cagg.continuous_aggregates order by 1')
  const before = await names()
  await engine.sql(`update cagg._aggregates set shape = shape || '{"version": 0}'; select shop.fill(0, 0.1)`)
  await install()
  expect(await names()).toEqual(before)
  await engine.expectExact()
  await engine.sql('select shop.fill(300, 0.2); delete from shop."Sales" where id % 3 = 0')
  await engine.expectExact()
})

it('leaves aggregates alone when it is installed again', async () => {
  const state = () => engine.sql(`select id, created_at, to_regclass(cagg._view(a))::oid as view, to_regclass(cagg._store(a))::oid as store from cagg._aggregates as a order by id`)
  const before = await state()
  await install()
  expect(await state()).toEqual(before)
})
