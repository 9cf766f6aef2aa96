// Windowed metrics as the API shows them: enums and types, the catalogue, and the queries over windows and history.
import { catalogue, type Dimension, type Metric } from '../metrics/catalogue.ts'
import type * as windows from '../windows/types.ts'
import type { Builder } from './builder.ts'
import { addCatalogue } from './metricCatalogue.ts'
import { textsOf } from './texts.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

const dimensionTexts: Record<Dimension, string> = {
  COUNTRY: 'Country: of the event, or of the buyer.',
  TRAFFIC_SOURCE: 'What brought the visitor: of the event, or of the buyer.',
  BROWSER: "The event's browser.",
  EVENT_TYPE: "The event's type.",
  CATEGORY: "The product's category.",
  DEPARTMENT: "The product's department.",
  BRAND: "The product's brand.",
  GENDER: "The buyer's gender.",
  AGE_BAND: "The buyer's age: 12-17, 18-24, 25-34, 35-44, 45-54, 55-64, 65+.",
  STATUS: 'Where the order, or the item, stands.',
}

/** Adds what windows answer, and the enums and inputs they are asked with. */
export function addMetrics(builder: Builder) {
  const Metric = builder.enumType('Metric', {
    description:
      'Each is an entry of the catalogue; see Query.metricCatalogue for title, unit, definition and dimensions.',
    values: textsOf(
      Object.fromEntries(catalogue.map(({ metric, definition }) => [metric, definition])) as Record<Metric, string>,
    ),
  })
  const Dimension = builder.enumType('Dimension', {
    description: 'What metrics can be told apart by; a row without a value has the key "unknown".',
    values: textsOf(dimensionTexts),
  })
  const UpdateKind = builder.enumType('UpdateKind', {
    description: 'What a message of a stream holds.',
    values: {
      SNAPSHOT: { description: 'Everything: what was known before is replaced.' },
      DELTA: { description: 'What came or changed since the message before.' },
    } as const,
  })
  const DimensionFilter = builder.inputType('DimensionFilter', {
    description: 'Keeps the rows whose key in a dimension is one of these.',
    fields: (t) => ({
      dimension: t.field({ type: Dimension, required: true, description: 'The dimension.' }),
      in: t.stringList({
        required: true,
        description: 'The keys to keep; "unknown" is the key of rows without a value.',
      }),
    }),
  })

  const Point = builder.objectRef<windows.Point>('Point').implement({
    description: 'value null: not defined there (a rate with nothing under the line), never 0 in its place.',
    fields: (t) => ({
      bucket: t.expose('bucket', { type: 'DateTime', description: 'Start of the bucket.' }),
      key: t.exposeString('key', {
        nullable: true,
        description: 'With `by`: the key; null for the rest beyond `top`.',
      }),
      values: t.expose('values', {
        type: ['Float'],
        nullable: { list: false, items: true },
        description: 'In the order of the metrics asked for.',
      }),
    }),
  })
  const MetricTotal = builder.objectRef<windows.MetricTotal>('MetricTotal').implement({
    description: 'One metric over a whole window.',
    fields: (t) => ({
      metric: t.expose('metric', { type: Metric, description: 'The metric.' }),
      value: t.exposeFloat('value', { nullable: true, description: 'Over the window.' }),
      previous: t.exposeFloat('previous', { nullable: true, description: 'Over the window just before it.' }),
    }),
  })
  const BreakdownRow = builder.objectRef<windows.BreakdownRow>('BreakdownRow').implement({
    description: 'One key of a dimension over a whole window.',
    fields: (t) => ({
      key: t.exposeString('key', { nullable: true, description: 'The key; null for the rest beyond `top`.' }),
      other: t.exposeBoolean('other', { description: 'Whether this is the rest beyond `top`.' }),
      values: t.expose('values', {
        type: ['Float'],
        nullable: { list: false, items: true },
        description: 'In the order of the metrics asked for.',
      }),
    }),
  })
  const MetricsUpdate = builder.objectRef<windows.MetricsUpdate>('MetricsUpdate').implement({
    description: 'One message of a stream of windowed metrics.',
    fields: (t) => ({
      kind: t.expose('kind', { type: UpdateKind, description: 'Everything, or what changed.' }),
      cursor: t.expose('cursor', { type: 'Cursor', description: 'Where this message leaves the stream.' }),
      previousCursor: t.expose('previousCursor', {
        type: 'Cursor',
        nullable: true,
        description:
          "The cursor of the message before in this stream: the client's proof that nothing is missing. Null on a snapshot.",
      }),
      windowStart: t.expose('windowStart', { type: 'DateTime', description: 'The first moment of the window.' }),
      windowEnd: t.expose('windowEnd', { type: 'DateTime', description: 'End of the current, unfinished bucket.' }),
      committedAt: t.expose('committedAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When the newest change in it was committed.',
      }),
      totals: t.expose('totals', {
        type: [MetricTotal],
        description: 'One a metric: over the whole window, and over the window just before it.',
      }),
      points: t.expose('points', {
        type: [Point],
        description: 'One a bucket (and key, with `by`); values in the order of the metrics asked for.',
      }),
      breakdown: t.expose('breakdown', {
        type: [BreakdownRow],
        description:
          'With `by`: the top keys over the whole window, largest first metric first; the rest as key null, other true.',
      }),
    }),
  })

  addCatalogue(builder, Metric, Dimension)

  const Gapfill = builder.enumType('Gapfill', {
    description: 'What stands for a bucket without rows.',
    values: {
      NONE: { description: 'Nothing: the bucket is left out.' },
      NULL: { description: 'null for every metric.' },
      ZERO: { description: '0 for additive metrics, null for others.' },
      LOCF: { description: 'The last value of that metric and key; null before the first.' },
      LINEAR: { description: 'A straight line between its neighbours.' },
    } as const,
  })
  const FunnelStep = builder.objectRef<windows.FunnelStep>('FunnelStep').implement({
    description: 'One step of a funnel.',
    fields: (t) => ({
      step: t.exposeString('step', { description: 'The type of event.' }),
      sessions: t.exposeInt('sessions', { description: 'Distinct sessions that came this far.' }),
      share: t.exposeFloat('share', { nullable: true, description: "Of the first step's sessions, from 0 to 1." }),
    }),
  })

  builder.queryField('metrics', (t) =>
    t.field({
      type: MetricsUpdate,
      description:
        'One answer of the subscription of the same name: everything over the window that ends now (or at `at`: replay).',
      complexity: { field: 10, multiplier: 1 },
      args: {
        metrics: t.arg({ type: [Metric], required: true, description: 'Which, each once; values come in this order.' }),
        window: t.arg({ type: 'Duration', required: true, defaultValue: 5 * MINUTE_MS, description: 'Its length.' }),
        bucket: t.arg({ type: 'Duration', description: 'Width of a point; by the length of the window, if left out.' }),
        by: t.arg({ type: Dimension, description: 'Tell the keys of this dimension apart.' }),
        top: t.arg.int({ defaultValue: 10, description: 'With `by`: how many keys; the rest is one.' }),
        filter: t.arg({ type: [DimensionFilter], description: 'Keep only these rows; all filters must hold.' }),
        at: t.arg({ type: 'DateTime', description: 'The window that ended then instead of now.' }),
      },
      resolve: (_root, { at, ...asked }, { services }) => services.windows.snapshot(readWindow(asked), at ?? undefined),
    }),
  )
  builder.queryField('timeSeries', (t) =>
    t.field({
      type: [Point],
      description: 'History of any length; buckets without rows as `gapfill` says.',
      complexity: { field: 10, multiplier: 1 },
      args: {
        metrics: t.arg({ type: [Metric], required: true, description: 'Which, each once; values come in this order.' }),
        from: t.arg({ type: 'DateTime', required: true, description: 'Start, aligned down to the bucket.' }),
        to: t.arg({ type: 'DateTime', required: true, description: 'End, aligned up to the bucket; not in it.' }),
        bucket: t.arg({ type: 'Duration', required: true, description: 'Width of a point.' }),
        timeZone: t.arg.string({ defaultValue: 'UTC', description: 'IANA name; buckets are of its local time.' }),
        by: t.arg({ type: Dimension, description: 'Tell the keys of this dimension apart.' }),
        top: t.arg.int({ defaultValue: 10, description: 'With `by`: how many keys; the rest is one.' }),
        filter: t.arg({ type: [DimensionFilter], description: 'Keep only these rows; all filters must hold.' }),
        gapfill: t.arg({ type: Gapfill, defaultValue: 'NULL', description: 'What stands for a bucket without rows.' }),
      },
      resolve: (_root, { metrics, from, to, bucket, timeZone, by, top, filter, gapfill }, { services }) =>
        services.windows.timeSeries({
          metrics,
          from,
          to,
          bucketMs: bucket,
          timeZone: timeZone ?? 'UTC',
          by: by ?? undefined,
          top: top ?? 10,
          filter: filter ?? [],
          gapfill: gapfill ?? 'NULL',
        }),
    }),
  )
  builder.queryField('funnel', (t) =>
    t.field({
      type: [FunnelStep],
      description: 'Distinct sessions that reached each step, in order, within the window.',
      complexity: { field: 10, multiplier: 1 },
      args: {
        steps: t.arg.stringList({
          required: true,
          defaultValue: ['product', 'cart', 'purchase'],
          description: 'Types of events, in order.',
        }),
        window: t.arg({
          type: 'Duration',
          required: true,
          defaultValue: HOUR_MS,
          description: 'Its length; it ends now.',
        }),
      },
      resolve: (_root, { steps, window }, { services }) => services.windows.funnel(steps, window),
    }),
  )

  return { Metric, Dimension, DimensionFilter, MetricsUpdate, UpdateKind }
}

export type MetricTypes = ReturnType<typeof addMetrics>

interface AskedWindow {
  metrics: windows.WindowArguments['metrics']
  window: number
  bucket?: number | null
  by?: Dimension | null
  top?: number | null
  filter?: windows.Filter[] | null
}

/** Arguments of the API as the windows room takes them. */
export const readWindow = ({ metrics, window, bucket, by, top, filter }: AskedWindow): windows.WindowArguments => ({
  metrics,
  windowMs: window,
  bucketMs: bucket ?? undefined,
  by: by ?? undefined,
  top: top ?? 10,
  filter: filter ?? [],
})
