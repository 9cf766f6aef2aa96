// Traces in OpenTelemetry's way, to the collector that is named; without one nothing of it is loaded.
import { context, type Context, type Span, SpanKind, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api'

export interface Tracing {
  /** Nothing where no collector is named. */
  tracer: Tracer | undefined
  /** Sends what is left. */
  close(): Promise<void>
}

const sendTimeoutMs = 1_000

/** `endpoint`: of a collector that takes OTLP over HTTP, such as http://localhost:4318. */
export async function makeTracing(endpoint: string | undefined): Promise<Tracing> {
  if (endpoint === undefined) return { tracer: undefined, close: () => Promise.resolve() }
  const [{ BasicTracerProvider, BatchSpanProcessor }, { OTLPTraceExporter }, { resourceFromAttributes }] =
    await Promise.all([
      import('@opentelemetry/sdk-trace-base'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
    ])
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/$/, '')}/v1/traces`,
    timeoutMillis: sendTimeoutMs,
  })
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'lookout' }),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  })
  return {
    tracer: provider.getTracer('lookout'),
    // A collector that is away does not keep the server from ending.
    close: () => provider.shutdown().catch(() => undefined),
  }
}

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

/** A span for what a caller asked; `traceparent` is the caller's own, where it has one. */
export function startRequest(
  tracer: Tracer,
  name: string,
  { traceparent, attributes }: { traceparent: unknown; attributes: Record<string, string> },
): { span: Span; within: Context } {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(String(traceparent)) ?? []
  const parent =
    traceId && spanId && flags
      ? trace.setSpanContext(context.active(), { traceId, spanId, traceFlags: parseInt(flags, 16), isRemote: true })
      : context.active()
  const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent)
  return { span, within: trace.setSpan(parent, span) }
}

/** A span for what has ended just now, after so long. */
export function tellSpan(tracer: Tracer, name: string, tookMs: number, attributes: Record<string, number>): void {
  const endMs = Date.now()
  tracer.startSpan(name, { startTime: endMs - tookMs, attributes }).end(endMs)
}

export function endSpan(span: Span, { failed }: { failed: boolean }): void {
  if (failed) span.setStatus({ code: SpanStatusCode.ERROR })
  span.end()
}
