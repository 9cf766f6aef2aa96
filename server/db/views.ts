// Brings the continuous aggregates to what the view files say, beside those that are there: writers and readers go on meanwhile.
// The steps, and why nothing is lost or counted twice, are told in sql/cagg/75_rebuild.sql.
import type pg from 'pg'
import type { Logger } from 'pino'
import { inTransaction, withClient } from './client.ts'
import { forgetFile, type Installed, rememberFile } from './installed.ts'
import { digestOf, runFile, type SqlFile } from './sqlFiles.ts'

/** Who waits so long for a lock lets writers pass before trying again; below PostgreSQL's deadlock_timeout of a second. */
const lockTimeoutMs = 700
const lockAttemptsMax = 1000

const evaluateAlike = `set local timezone = 'UTC'; set local datestyle = 'ISO'; set local intervalstyle = 'postgres';
  set local extra_float_digits = 1; set local search_path = pg_catalog, pg_temp`

export interface ViewFiles {
  url: string
  installed: Installed
  /** All of them, each after what it reads. */
  files: SqlFile[]
}

interface Building {
  view_name: string
  source: string
  fill: string[]
}

export async function installViews(
  log: Logger,
  client: pg.Client,
  { url, installed, files }: ViewFiles,
): Promise<void> {
  const changed = files.filter((file) => installed.get(file.path)?.digest !== digestOf([file]))
  const removed = [...installed.keys()].filter(
    (path) => path.startsWith('views/') && !files.some((file) => file.path === path),
  )
  if (changed.length === 0 && removed.length === 0) return
  const startedAt = Date.now()
  // Nobody else defines anything between the beginning and the end.
  await client.query(`select pg_advisory_lock(hashtext('cagg.define'))`)
  try {
    const wanted = new Map<string, string[]>()
    const views = await withClient(url, (filler) => build(log, { client, filler }, files, wanted))
    await patiently(log, client, async () => {
      if (views > 0) await client.query('select cagg._finish_build()')
      for (const file of files) await rememberFile(client, file.path, digestOf([file]), wanted.get(file.path) ?? [])
    })
    if (views > 0) log.info({ views, ms: Date.now() - startedAt }, 'views read what was built')
    const current = new Set([...wanted.values()].flat())
    const old = [...installed].map(([path, { views }]) => ({ path, views: views.filter((view) => !current.has(view)) }))
    for (const { path, views } of old.reverse())
      await dropViews(log, client, views, removed.includes(path) ? path : undefined)
  } catch (error) {
    await client.query('select cagg._discard_builds()')
    throw error
  } finally {
    await client.query(`select pg_advisory_unlock(hashtext('cagg.define'))`)
  }
}

/** Makes and fills what differs, and says how many views that is; `wanted` is told which views each file asks for. */
async function build(
  log: Logger,
  { client, filler }: { client: pg.Client; filler: pg.Client },
  files: SqlFile[],
  wanted: Map<string, string[]>,
): Promise<number> {
  const building = await patiently(log, client, async () => {
    await collect(client, files, wanted)
    const { rows } = await client.query<Building>('select * from cagg._begin_build()')
    if (rows.length > 0) await shareSnapshot(client, filler, rows)
    return rows
  })
  for (const { view_name: view, fill } of building) {
    const startedAt = Date.now()
    let rows = 0
    for (const statement of fill) rows += (await filler.query(statement)).rowCount ?? 0
    // A first start fills nothing, and need not say so view by view.
    log[rows > 0 ? 'info' : 'debug']({ view, rows, ms: Date.now() - startedAt }, 'continuous aggregate built')
  }
  if (building.length > 0) await filler.query('commit')
  return building.length
}

/** The filler sees what was there when the locks were held, and keeps the sources as they are until it has read them. */
async function shareSnapshot(client: pg.Client, filler: pg.Client, building: Building[]): Promise<void> {
  const { rows } = await client.query<{ snapshot: string }>('select pg_export_snapshot() as snapshot')
  await filler.query('rollback')
  await filler.query(
    `begin isolation level repeatable read; set transaction snapshot '${rows[0]?.snapshot}'; ${evaluateAlike}`,
  )
  const sources = new Set(building.map(({ source }) => source))
  for (const source of sources) await filler.query(`lock table ${source} in access share mode`)
}

async function collect(client: pg.Client, files: SqlFile[], wanted: Map<string, string[]>): Promise<void> {
  await client.query('select cagg._begin_collecting()')
  let last = 0
  for (const file of files) {
    await runFile(client, file)
    const { rows } = await client.query<{ n: number; view: string }>(
      `select n, format('%I.%I', view_schema, view_name) as view from cagg._wanted where n > $1 order by n`,
      [last],
    )
    wanted.set(
      file.path,
      rows.map(({ view }) => view),
    )
    last = rows.at(-1)?.n ?? last
  }
}

/** A transaction that is tried again when a lock is not to be had soon. */
async function patiently<Result>(log: Logger, client: pg.Client, work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await inTransaction(client, async () => {
        await client.query(`set local lock_timeout = ${lockTimeoutMs}`)
        return await work()
      })
    } catch (error) {
      if ((error as pg.DatabaseError).code !== '55P03' || attempt === lockAttemptsMax) throw error
      if (attempt % 10 === 0) log.warn({ attempt }, 'views wait for a transaction that holds their table')
    }
  }
}

/** Views of which no file speaks any more; `path`: the file that is gone, forgotten with the last of its views. */
async function dropViews(log: Logger, client: pg.Client, views: string[], path: string | undefined): Promise<void> {
  let kept = false
  for (const view of views.toReversed()) {
    try {
      await patiently(log, client, () => client.query('select cagg.drop_continuous_aggregate($1)', [view]))
      log.info({ view }, 'view dropped: its file is gone')
    } catch (error) {
      const { code, message } = error as pg.DatabaseError
      if (code === '42P01') continue
      if (code !== '2BP01') throw error
      kept = true
      log.warn({ view, reason: message }, 'view kept, though its file is gone')
    }
  }
  if (path !== undefined && !kept) await forgetFile(client, path)
}
