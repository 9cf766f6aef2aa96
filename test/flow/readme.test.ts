// What the README says works when pasted: its GraphQL, its curl commands and its SQL, against the real server.
import { readFileSync } from 'node:fs'
import { createClient } from 'graphql-ws'
import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { makeDataDir, type ServerProcess, startServer } from '../support/server.ts'

const readme = readFileSync('README.md', 'utf8')
const blocks = (language: string) =>
  [...readme.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, text = '']) => text.trim())

const dataDir = makeDataDir()
let server: ServerProcess

beforeAll(async () => {
  server = await startServer({ LOOKOUT_DATA_DIR: dataDir.path })
})
afterAll(async () => {
  await server?.stop()
  dataDir.remove()
})

const graphql = blocks('graphql')
it('has examples of a mutation, of queries and of a subscription', () => {
  const kinds = graphql.map((text) => text.split(' ')[0])
  expect(new Set(kinds)).toEqual(new Set(['mutation', 'query', 'subscription']))
})

it.each(graphql.filter((text) => !text.startsWith('subscription')))('answers %s', async (query) => {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  })
  const { data, errors } = await response.json()
  expect(errors).toBeUndefined()
  if (query.startsWith('mutation')) expect(data.ingestEvents).toEqual({ accepted: 2, duplicates: 0, rejected: [] })
})

it.each(graphql.filter((text) => text.startsWith('subscription')))('streams %s', async (query) => {
  const client = createClient({ url: `${server.url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket })
  for await (const { data, errors } of client.iterate({ query })) {
    expect(errors).toBeUndefined()
    expect(data?.['metrics']).toMatchObject({ kind: 'SNAPSHOT', totals: [{ metric: 'REVENUE' }, {}, {}, {}] })
    break
  }
  await client.dispose()
})

/** What a curl line of the README sends. */
function send(line: string, signal?: AbortSignal): Promise<Response> {
  const headers = Object.fromEntries(
    [...line.matchAll(/-H '([^:]+): ([^']+)'/g)].map(([, name, value]) => [name, value]),
  )
  return fetch(`${server.url}/graphql`, { method: 'POST', headers, body: /-d '([^']+)'/.exec(line)?.[1], signal })
}

const [write = '', stream = ''] = readme.split('\n').filter((line) => line.startsWith('curl '))
it('writes the rows of its curl command once, however often they are sent', async () => {
  const first = await (await send(write)).text()
  expect(JSON.parse(first)).toEqual({ data: { trackEvents: { accepted: 2, duplicates: 0, rejected: [] } } })
  expect(await (await send(write)).text()).toBe(first)
})

it('streams server-sent events', async () => {
  const stop = new AbortController()
  const reader = (await send(stream, stop.signal)).body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  while (!text.includes('\n\n') || !text.includes('event: next')) text += (await reader.read()).value ?? ''
  expect(text).toMatch(/event: next\s+data: .*"kind":"SNAPSHOT"/)
  stop.abort()
})

it('runs its SQL, and the proof is 0', async () => {
  const client = new pg.Client({ connectionString: server.databaseUrl })
  await client.connect()
  for (const text of blocks('sql'))
    for (const statement of text
      .split(';')
      .map((part) => part.replace(/--.*/g, '').trim())
      .filter(Boolean)) {
      const { rows } = await client.query(statement)
      if (statement.includes('cagg.drift')) expect(rows).toEqual([{ drift: '0' }])
    }
  await client.end()
})

it('names every setting there is, and no other', () => {
  const source = readFileSync('server/config.ts', 'utf8')
  const settings = [
    ...source.matchAll(/(?:read|whole|numberOf|oneOf|duration|origins|addresses|endpoint)\('([A-Z_]+)'/g),
  ].map(([, name]) => name)
  const told = [...readme.matchAll(/^\| (`[A-Z_`, ]+`) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/[A-Z_]+/g)].map(([name]) => name),
  )
  expect(told.sort()).toEqual([...new Set(settings)].sort())
})
