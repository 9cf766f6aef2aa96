// The engine as one text for psql, safe to run again: `npm run --silent cagg:sql | psql --single-transaction`.
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readEngine } from '../server/db/sqlFiles.ts'

const projectDir = dirname(dirname(fileURLToPath(import.meta.url)))
for (const { path, text } of readEngine(projectDir)) process.stdout.write(`-- sql/${path}\n${text.trimEnd()}\n\n`)
