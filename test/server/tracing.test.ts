// Traces as a collector receives them: over HTTP, in OTLP's JSON, from a server whose calls were really made.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { makeTracing, tellSpan } from '../../server/tracing.ts'
import { startApi } from './apiKit.ts'

interface Span {
  name: string
  traceId: string
  spanId: string
  parentSpanId?: string
  startTimeUnixNano: string
  endTimeUnixNano: string
  status: { code?: number }
  attributes: { key: string; value: { stringValue?: string; intValue?: number } }[]
}

async function makeCollector(): Promise<{ url: string; spans: Span[] }> {
  const spans: Span[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      expect(request.url).toBe('/v1/traces')
      for (const { scopeSpans } of JSON.parse(Buffer.concat(chunks).toString()).resourceSpans) {
        for (const scope of scopeSpans) spans.push(...scope.spans)
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans }
}

const attribute = ({ attributes }: Span, name: string) => {
  const { value } = attributes.find(({ key }) => key === name) ?? {}
  return value?.stringValue ?? value?.intValue
}

test('a request, its operation below it and a commit reach the collector, in the trace of the caller', async () => {
  const collector = await makeCollector()
  const tracing = await makeTracing(collector.url)
  const api = await startApi({ tracer: tracing.tracer })
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  const answer = await api.post(
    'query Catalogue { metricCatalogue { metric } }',
    {},
    {
      traceparent: `00-${traceId}-b7ad6b7169203331-01`,
    },
  )
  expect(answer.status).toBe(200)
  expect((await api.post('{ orders(first: 100000) { nodes { orderId } } }')).status).toBe(400)
  const stream = api.watch('subscription { messages { kind } }')
  await stream.next()
  stream.close()
  tellSpan(tracing.tracer!, 'commit', 12, { 'lookout.rows': 3 })
  await api.close()
  await tracing.close()

  const named = (name: string) => collector.spans.filter((span) => span.name === name)
  const request = named('POST /graphql').find((span) => span.traceId === traceId)!
  expect(request.parentSpanId).toBe('b7ad6b7169203331')
  expect(attribute(request, 'http.response.status_code')).toBe(200)
  expect(attribute(request, 'lookout.request_id')).toBe(answer.headers.get('x-request-id'))
  const [operation] = named('query Catalogue')
  expect(operation).toMatchObject({ traceId, parentSpanId: request.spanId })
  expect(named('query')).toMatchObject([{ status: { code: 2 } }])
  expect(named('subscription')).toHaveLength(1)
  const [commit] = named('commit')
  expect(Number(BigInt(commit!.endTimeUnixNano) - BigInt(commit!.startTimeUnixNano)) / 1e6).toBeCloseTo(12, 0)
  expect(attribute(commit!, 'lookout.rows')).toBe(3)
})

test('without a collector there is no tracer, and one that is away keeps nobody from ending', async () => {
  expect((await makeTracing(undefined)).tracer).toBeUndefined()
  const tracing = await makeTracing('http://127.0.0.1:1')
  tracing.tracer!.startSpan('lost').end()
  const began = Date.now()
  await tracing.close()
  expect(Date.now() - began).toBeLessThan(4_000)
})
