// What earlier starts have run, by file and digest, so that what is as it was costs nothing.
import type pg from 'pg'

/** By file; one of whose views is missing counts as never run. */
export type Installed = Map<string, { digest: string | null; views: string[] }>

export async function readInstalled(client: pg.Client): Promise<Installed> {
  const { rows } = await client.query<{ known: boolean }>(`select to_regclass('cagg._files') is not null as known`)
  if (!rows[0]?.known) return new Map()
  const files = await client.query<{ file: string; digest: string | null; views: string[] }>(`
    select file, views,
           case when not exists (select from unnest(views) as v where to_regclass(v) is null) then digest end as digest
      from cagg._files`)
  return new Map(files.rows.map(({ file, ...rest }) => [file, rest]))
}

/** `views`: those that the file asks for. */
export async function rememberFile(client: pg.Client, file: string, digest: string, views: string[]): Promise<void> {
  await client.query('select cagg._remember_file($1, $2, $3)', [file, digest, views])
}

export async function forgetFile(client: pg.Client, file: string): Promise<void> {
  await client.query('select cagg._forget_file($1)', [file])
}
