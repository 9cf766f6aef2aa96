// Writes schema.graphql from the code, sorted; with --check it only says whether the file is up to date.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { lexicographicSortSchema, printSchema } from 'graphql'
import { makeSchema } from '../server/schema/schema.ts'

const file = join(dirname(dirname(fileURLToPath(import.meta.url))), 'schema.graphql')
const printed = `${printSchema(lexicographicSortSchema(makeSchema()))}\n`

if (!process.argv.includes('--check')) {
  writeFileSync(file, printed)
} else if (readFileSync(file, 'utf8') !== printed) {
  console.error('schema.graphql is not what the code says: run `npm run schema` and commit it.')
  process.exitCode = 1
}
