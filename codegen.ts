// Types of the client's GraphQL documents, made from schema.graphql: `npm run codegen`; with --check it only says whether the file
// is up to date.
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { codegen } from '@graphql-codegen/core'
import * as typedDocumentNode from '@graphql-codegen/typed-document-node'
import * as operations from '@graphql-codegen/typescript-operations'
import { buildSchema, parse, printSchema, validate } from 'graphql'

const root = dirname(fileURLToPath(import.meta.url))
const target = join(root, 'client/api/generated/documents.ts')

/** The text of the generated file. Throws with every fault when a document does not fit the schema. */
export async function generate(): Promise<string> {
  const schema = buildSchema(await readFile(join(root, 'schema.graphql'), 'utf8'))
  const files = await readdir(join(root, 'client'), { recursive: true })
  const documents = await Promise.all(
    files
      .filter((file) => file.endsWith('.graphql'))
      .sort()
      .map(async (file) => ({ location: file, document: parse(await readFile(join(root, 'client', file), 'utf8')) })),
  )
  const faults = documents.flatMap(({ location, document }) =>
    validate(schema, document).map((fault) => `client/${location}: ${fault.message}`),
  )
  if (faults.length > 0) throw new Error(faults.join('\n'))
  const text = await codegen({
    filename: target,
    schema: parse(printSchema(schema)),
    documents,
    config: {
      useTypeImports: true,
      skipTypename: true,
      disableDescriptions: true,
      enumType: 'string-literal',
      defaultScalarType: 'unknown',
      scalars: { DateTime: 'string', Duration: 'string', Decimal: 'string', Cursor: 'string' },
    },
    plugins: [{ operations: {} }, { typedDocumentNode: {} }],
    pluginMap: { operations, typedDocumentNode },
  })
  return `// Made by codegen.ts from schema.graphql and the documents of client/. Not edited by hand.\n${text}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = await generate()
  const name = relative(root, target)
  if (!process.argv.includes('--check')) {
    await mkdir(dirname(target), { recursive: true })
    await writeFile(target, text)
  } else if ((await readFile(target, 'utf8').catch(() => '')) !== text) {
    process.stderr.write(`${name} does not match schema.graphql: run \`npm run codegen\` and commit it.\n`)
    process.exitCode = 1
  }
}
