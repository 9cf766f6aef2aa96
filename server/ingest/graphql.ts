// The mutations that bring rows in. A resolver hands the rows to its method of the ingest step; nothing else happens here.
import type { Builder } from '../schema/builder.ts'
import type { Context } from '../schema/context.ts'
import type { Origin } from './ingest.ts'
import { addInputTypes } from './inputs.ts'
import { addResultTypes } from './results.ts'

const originOf = (context: Context, idempotencyKey?: string | null): Origin => ({
  caller: context.caller.id,
  idempotencyKey,
})

/** Adds the mutations with their types. The builder must have its mutation type. */
export function addIngestMutations(builder: Builder): void {
  const inputs = addInputTypes(builder)
  const IngestResult = addResultTypes(builder)

  builder.mutationFields((t) => {
    const idempotencyKey = t.arg.id({
      description:
        'Names the call: sent again within 24 hours, it gets the first answer and writes nothing. 1 to 255 characters.',
    })
    return {
      trackEvents: t.field({
        type: IngestResult,
        description:
          "Events of any type: page_view, purchase, error, signup, and theLook's home, department, product, cart, purchase, cancel …\n" +
          'As fast as ingestEvents where the rows are a variable, by HTTP.',
        args: {
          events: t.arg({ type: [inputs.EventInput], required: true, description: 'The rows: up to 10,000 a call.' }),
          idempotencyKey,
        },
        resolve: (_, args, context) =>
          context.services.ingest.trackEvents(args.events, originOf(context, args.idempotencyKey)),
      }),
      ingestEvents: t.field({
        type: IngestResult,
        description:
          'The same rows as trackEvents takes, as one JSON value. A row that GraphQL would refuse (no type, a number for a text)\n' +
          'is rejected alone, where trackEvents fails whole; a batch that is no array of objects fails whole.',
        args: {
          batch: t.arg({ type: 'EventBatch', required: true, description: 'The rows: up to 10,000 a call.' }),
          idempotencyKey,
        },
        resolve: (_, args, context) =>
          context.services.ingest.ingestEvents(args.batch, originOf(context, args.idempotencyKey)),
      }),
      recordUserMetrics: t.field({
        type: IngestResult,
        description: 'Page views and time spent, per user (seed of the 10-second windows).',
        args: {
          metrics: t.arg({
            type: [inputs.UserMetricInput],
            required: true,
            description: 'The rows: up to 10,000 a call.',
          }),
          idempotencyKey,
        },
        resolve: (_, args, context) =>
          context.services.ingest.recordUserMetrics(args.metrics, originOf(context, args.idempotencyKey)),
      }),
      registerUsers: t.field({
        type: IngestResult,
        description: 'Users, who may then order.',
        args: {
          users: t.arg({ type: [inputs.UserInput], required: true, description: 'The rows: up to 10,000 a call.' }),
          idempotencyKey,
        },
        resolve: (_, args, context) =>
          context.services.ingest.registerUsers(args.users, originOf(context, args.idempotencyKey)),
      }),
      placeOrders: t.field({
        type: IngestResult,
        description: 'Orders with their items and sold inventory, all in one transaction.',
        args: {
          orders: t.arg({ type: [inputs.OrderInput], required: true, description: 'The rows: up to 10,000 a call.' }),
          idempotencyKey,
        },
        resolve: (_, args, context) =>
          context.services.ingest.placeOrders(args.orders, originOf(context, args.idempotencyKey)),
      }),
      changeOrderStatuses: t.field({
        type: IngestResult,
        description:
          'Processing → Shipped → Complete → Returned, or Cancelled; items follow their order. An impossible step is rejected.',
        args: {
          changes: t.arg({
            type: [inputs.OrderStatusInput],
            required: true,
            description: 'The rows: up to 10,000 a call.',
          }),
          idempotencyKey,
        },
        resolve: (_, args, context) =>
          context.services.ingest.changeOrderStatuses(args.changes, originOf(context, args.idempotencyKey)),
      }),
      postMessages: t.field({
        type: IngestResult,
        description: 'Operational messages, shown in three columns: success, warning, danger.',
        args: {
          messages: t.arg({
            type: [inputs.MessageInput],
            required: true,
            description: 'The rows: up to 10,000 a call.',
          }),
          idempotencyKey,
        },
        resolve: (_, args, context) =>
          context.services.ingest.postMessages(args.messages, originOf(context, args.idempotencyKey)),
      }),
      upsertProducts: t.field({
        type: IngestResult,
        description: 'Products, written or overwritten by id. What was sold before keeps the copies it was sold with.',
        args: {
          products: t.arg({
            type: [inputs.ProductInput],
            required: true,
            description: 'The rows: up to 10,000 a call.',
          }),
        },
        resolve: (_, args, context) => context.services.ingest.upsertProducts(args.products, originOf(context)),
      }),
      upsertDistributionCenters: t.field({
        type: IngestResult,
        description: 'Distribution centres, written or overwritten by id.',
        args: {
          centers: t.arg({
            type: [inputs.DistributionCenterInput],
            required: true,
            description: 'The rows: up to 10,000 a call.',
          }),
        },
        resolve: (_, args, context) =>
          context.services.ingest.upsertDistributionCenters(args.centers, originOf(context)),
      }),
    }
  })
}
