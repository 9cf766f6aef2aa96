// The subscriptions: each field hands out a stream of the windows or subscriptions room.
import type { Message as PrismaMessage } from '../db/generated/prisma/client.ts'
import type { MessageRow, OrderItemRow as OrderItemRowShape, RowsUpdate } from '../subscriptions/subscriptions.ts'
import type { Builder } from './builder.ts'
import { type MetricTypes, readWindow } from './metrics.ts'
import type { addStats } from './stats.ts'
import type { addTheLook } from './thelook/thelook.ts'

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS

export function addStreams(
  builder: Builder,
  { Metric, Dimension, DimensionFilter, MetricsUpdate, UpdateKind }: MetricTypes,
  { Message }: ReturnType<typeof addTheLook>,
  { Stats }: ReturnType<typeof addStats>,
): void {
  const { enums } = builder

  const OrderItemRow = builder.objectRef<OrderItemRowShape>('OrderItemRow').implement({
    description: 'A sold item with what is known of its buyer and its product.',
    fields: (t) => ({
      itemId: t.exposeID('id', { description: 'Key of the item.' }),
      orderId: t.exposeID('orderId', { description: 'Key of its order.' }),
      userId: t.exposeID('userId', { description: 'Key of the buyer.' }),
      age: t.exposeInt('age', { nullable: true, description: "The buyer's age in years." }),
      gender: t.expose('gender', { type: enums.Gender, nullable: true, description: "The buyer's gender." }),
      country: t.exposeString('country', { nullable: true, description: "The buyer's country." }),
      trafficSource: t.exposeString('trafficSource', { nullable: true, description: 'What brought the buyer.' }),
      category: t.exposeString('category', { nullable: true, description: "The product's category." }),
      cost: t.expose('cost', { type: 'Decimal', nullable: true, description: 'What it cost the shop.' }),
      status: t.expose('status', { type: enums.OrderStatus, description: 'Where it stands.' }),
      salePrice: t.expose('salePrice', { type: 'Decimal', description: 'What was paid for it.' }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was bought.' }),
    }),
  })
  const OrderItemsUpdate = builder.objectRef<RowsUpdate<OrderItemRowShape>>('OrderItemsUpdate').implement({
    description: 'One message of the stream of order items.',
    fields: (t) => ({
      kind: t.expose('kind', { type: UpdateKind, description: 'Everything, or what changed.' }),
      cursor: t.expose('cursor', { type: 'Cursor', description: 'Where this message leaves the stream.' }),
      previousCursor: t.expose('previousCursor', {
        type: 'Cursor',
        nullable: true,
        description: 'The cursor of the message before in this stream. Null on a snapshot.',
      }),
      windowStart: t.expose('windowStart', { type: 'DateTime', description: 'Rows from before have left.' }),
      windowEnd: t.expose('windowEnd', { type: 'DateTime', description: 'When the window was looked at.' }),
      items: t.expose('items', {
        type: [OrderItemRow],
        description: "A snapshot's rows; in a delta those that came or changed.",
      }),
      removed: t.exposeIDList('removed', { description: 'itemIds that left the window.' }),
    }),
  })
  const MessagesUpdate = builder.objectRef<RowsUpdate<MessageRow>>('MessagesUpdate').implement({
    description: 'A snapshot holds the newest 100 of each severity asked for.',
    fields: (t) => ({
      kind: t.expose('kind', { type: UpdateKind, description: 'Everything, or what came.' }),
      cursor: t.expose('cursor', { type: 'Cursor', description: 'Where this message leaves the stream.' }),
      previousCursor: t.expose('previousCursor', {
        type: 'Cursor',
        nullable: true,
        description: 'The cursor of the message before in this stream. Null on a snapshot.',
      }),
      messages: t.field({
        type: [Message],
        description: "A snapshot's messages; in a delta those that came or changed. Newest first.",
        // The same columns that Prisma reads, under the same names.
        resolve: ({ items }) => items as unknown as PrismaMessage[],
      }),
    }),
  })

  builder.subscriptionType({
    description: 'What streams out: first a snapshot, then what changed. A stream goes on after a cut with `after`.',
    fields: (t) => ({
      metrics: t.field({
        type: MetricsUpdate,
        description:
          'Windowed metrics. First a SNAPSHOT of the whole window, then a DELTA whenever something changed (at most once per `every`):\n' +
          'only the buckets that changed or entered; buckets older than windowStart have left. With `after`, the stream goes on from that\n' +
          'cursor with no gap and no repeat; where that is no longer possible it begins with a SNAPSHOT again.',
        complexity: { field: 10, multiplier: 1 },
        args: {
          metrics: t.arg({
            type: [Metric],
            required: true,
            description: 'Which, each once; values come in this order.',
          }),
          window: t.arg({ type: 'Duration', required: true, defaultValue: 5 * MINUTE_MS, description: 'Its length.' }),
          bucket: t.arg({
            type: 'Duration',
            description: 'Width of a point; by the length of the window, if left out.',
          }),
          by: t.arg({ type: Dimension, description: 'Tell the keys of this dimension apart.' }),
          top: t.arg.int({ defaultValue: 10, description: 'With `by`: how many keys; the rest is one.' }),
          filter: t.arg({ type: [DimensionFilter], description: 'Keep only these rows; all filters must hold.' }),
          every: t.arg({
            type: 'Duration',
            required: true,
            defaultValue: SECOND_MS,
            description: 'At most one message within this time; from PT0.05S.',
          }),
          after: t.arg({ type: 'Cursor', description: 'Go on from here.' }),
        },
        subscribe: (_root, { every, after, ...asked }, { services }) =>
          services.windows.subscribe({ ...readWindow(asked), everyMs: every }, after ?? undefined),
        resolve: (update) => update,
      }),
      orderItems: t.field({
        type: OrderItemsUpdate,
        description:
          'The joined rows of the last `lookback` (user, item, product), newest first: a snapshot, then what came, changed or left.',
        complexity: { field: 10, multiplier: 1 },
        args: {
          lookback: t.arg({
            type: 'Duration',
            required: true,
            defaultValue: 5 * MINUTE_MS,
            description: 'Length of the window.',
          }),
          every: t.arg({
            type: 'Duration',
            required: true,
            defaultValue: 5 * SECOND_MS,
            description: 'At most one message within this time; from PT0.05S.',
          }),
          after: t.arg({ type: 'Cursor', description: 'Go on from here.' }),
        },
        subscribe: (_root, { lookback, every, after }, { services }) =>
          services.subscriptions.orderItems({ lookbackMs: lookback, everyMs: every }, after ?? undefined),
        resolve: (update) => update,
      }),
      messages: t.field({
        type: MessagesUpdate,
        description: 'What is posted to the three columns: a snapshot, then each message as it comes.',
        complexity: { field: 10, multiplier: 1 },
        args: {
          severities: t.arg({ type: [enums.Severity], description: 'The columns wanted; all, if left out.' }),
          after: t.arg({ type: 'Cursor', description: 'Go on from here.' }),
        },
        subscribe: (_root, { severities, after }, { services }) =>
          services.subscriptions.messages({ severities }, after ?? undefined),
        resolve: (update) => update,
      }),
      stats: t.field({
        type: Stats,
        description: 'How the server does, again and again.',
        args: {
          every: t.arg({
            type: 'Duration',
            required: true,
            defaultValue: SECOND_MS,
            description: 'One message within this time; from PT0.05S.',
          }),
        },
        subscribe: (_root, { every }, { services }) => services.subscriptions.stats(every),
        resolve: (stats) => stats,
      }),
    }),
  })
}
