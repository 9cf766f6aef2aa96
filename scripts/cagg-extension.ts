// The engine as an extension: `npm run cagg:extension -- DIR` writes cagg.control and cagg--1.0.sql there, for PostgreSQL's own
// folder (`pg_config --sharedir`/extension), or one that extension_control_path names (PostgreSQL 18).
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readEngine } from '../server/db/sqlFiles.ts'

const version = '1.0'
const dir = process.argv[2]
if (dir === undefined) {
  process.stderr.write('Say where to: npm run cagg:extension -- DIR\n')
  process.exit(1)
}

const control = `comment = 'continuous aggregates that are exact at every commit'
default_version = '${version}'
relocatable = false
superuser = false
`
// What pg_dump carries over besides the aggregates' own tables. Not the change log: its transactions mean nothing elsewhere.
const remembered = ['_aggregates', '_aggregates_id_seq', '_policies']
const text = [
  `\\echo Use "create extension cagg" to load this file. \\quit`,
  ...readEngine(dirname(dirname(fileURLToPath(import.meta.url)))).map(
    ({ path, text }) => `-- sql/${path}\n${text.trimEnd()}`,
  ),
  remembered.map((name) => `select pg_catalog.pg_extension_config_dump('cagg.${name}', '');`).join('\n'),
]

mkdirSync(dir, { recursive: true })
writeFileSync(join(dir, 'cagg.control'), control)
writeFileSync(join(dir, `cagg--${version}.sql`), `${text.join('\n\n')}\n`)
