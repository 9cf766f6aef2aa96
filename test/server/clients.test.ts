// Other people's clients and audits against the whole API, as it is served: GraphQL over HTTP to the letter, Apollo's client and
// urql's, with their subscriptions over graphql-ws.
import { ApolloClient, ApolloLink, gql as document, HttpLink, InMemoryCache } from '@apollo/client'
import { GraphQLWsLink } from '@apollo/client/link/subscriptions'
import { getMainDefinition } from '@apollo/client/utilities'
import { Client, fetchExchange, subscriptionExchange } from '@urql/core'
import { serverAudits } from 'graphql-http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Api, startApi } from './apiKit.ts'

let api: Api

beforeAll(async () => {
  api = await startApi()
})
afterAll(() => api.close())

const TRACK = `mutation ($events: [EventInput!]!) { trackEvents(events: $events) { accepted } }`
const METRICS = `subscription ($every: Duration!) {
  metrics(metrics: [EVENTS], every: $every) { kind cursor previousCursor totals { value } }
}`

describe('GraphQL over HTTP', () => {
  const audits = serverAudits({ url: () => `${api.url}/graphql`, fetchFn: fetch })

  test('has as many audits as it had when this was written, or more', () => {
    expect(audits.length).toBeGreaterThanOrEqual(60)
  })

  test.each(audits.map((audit) => [audit.name, audit] as const))('%s', async (_name, audit) => {
    const result = await audit.fn()
    expect(result.status === 'ok' ? 'ok' : result.reason).toBe('ok')
  })
})

test("Apollo's client asks, writes and follows", async () => {
  const socket = api.socket()
  const client = new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.split(
      ({ query }) => {
        const definition = getMainDefinition(query)
        return definition.kind === 'OperationDefinition' && definition.operation === 'subscription'
      },
      new GraphQLWsLink(socket),
      new HttpLink({ uri: `${api.url}/graphql` }),
    ),
  })
  try {
    const asked = await client.query<{ stats: { databaseVersion: string } }>({
      query: document('{ stats { databaseVersion } }'),
    })
    expect(asked.data?.stats.databaseVersion).toMatch(/^\d+/)
    const messages: { kind: string }[] = []
    const subscription = client
      .subscribe<{ metrics: { kind: string } }>({ query: document(METRICS), variables: { every: 'PT0.05S' } })
      .subscribe(({ data }) => data && messages.push(data.metrics))
    await expect.poll(() => messages.length).toBe(1)
    await client.mutate({ mutation: document(TRACK), variables: { events: [{ type: 'page_view' }] } })
    await expect.poll(() => messages.map(({ kind }) => kind)).toEqual(['SNAPSHOT', 'DELTA'])
    subscription.unsubscribe()
    await expect.poll(() => api.streams().subscribers).toBe(0)
  } finally {
    client.stop()
  }
})

test("urql's client asks, writes and follows", async () => {
  const socket = api.socket()
  const client = new Client({
    url: `${api.url}/graphql`,
    preferGetMethod: 'within-url-limit',
    exchanges: [
      subscriptionExchange({
        forwardSubscription: ({ query, variables }) => ({
          subscribe: (sink) => ({
            unsubscribe: socket.subscribe({ query: query ?? '', variables }, sink as never),
          }),
        }),
      }),
      fetchExchange,
    ],
  })
  const asked = await client.query('{ stats { databaseVersion } }', {}).toPromise()
  expect(asked.error).toBeUndefined()
  const kinds: string[] = []
  const subscription = client
    .subscription<{ metrics: { kind: string } }>(METRICS, { every: 'PT0.05S' })
    .subscribe(({ data }) => data && kinds.push(data.metrics.kind))
  await expect.poll(() => kinds).toEqual(['SNAPSHOT'])
  const written = await client.mutation(TRACK, { events: [{ type: 'page_view' }] }).toPromise()
  expect(written.data).toEqual({ trackEvents: { accepted: 1 } })
  await expect.poll(() => kinds).toEqual(['SNAPSHOT', 'DELTA'])
  subscription.unsubscribe()
})
