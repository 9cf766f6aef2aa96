// What a mutation answers, as GraphQL shows it.
import type { Builder } from '../schema/builder.ts'
import type { IngestResult, RejectedRow } from '../writer/call.ts'

/** Adds the result types and answers the reference of IngestResult. */
export function addResultTypes(builder: Builder) {
  const RejectionCode = builder.enumType('RejectionCode', {
    description: 'Why a row was not taken.',
    values: {
      INVALID: { description: 'A value breaks a rule.' },
      FUTURE_TIMESTAMP: { description: "More than 5 minutes ahead of the server's clock." },
      TOO_OLD: { description: 'Before the oldest day whose raw rows are kept.' },
      UNKNOWN_REFERENCE: { description: 'The user, product, centre or order it names does not exist.' },
      IMPOSSIBLE_TRANSITION: { description: 'The order cannot take this step from where it stands.' },
      TOO_LARGE: { description: 'A text, a JSON value or a list is longer than its limit.' },
    } as const,
  })

  const Rejected = builder.objectRef<RejectedRow>('RejectedRow').implement({
    description: 'A row that was not written, and why.',
    fields: (t) => ({
      index: t.exposeInt('index', { description: "The row's place in the call, from 0." }),
      code: t.expose('code', { type: RejectionCode, description: 'Why, for programs.' }),
      path: t.exposeStringList('path', { description: 'From the row to the field: ["items", "0", "productId"].' }),
      message: t.exposeString('message', { description: 'For people.' }),
    }),
  })

  return builder.objectRef<IngestResult>('IngestResult').implement({
    description:
      'Every row of the call is accounted for: accepted + duplicates + rejected.length = rows sent. Accepted rows are committed.',
    fields: (t) => ({
      accepted: t.exposeInt('accepted', { description: 'Rows written and committed.' }),
      duplicates: t.exposeInt('duplicates', {
        description:
          'Rows seen before (same id), or the whole call (same idempotencyKey): already committed, not written again.',
      }),
      rejected: t.expose('rejected', {
        type: [Rejected],
        description: 'Rows not written; they never cost the others.',
      }),
    }),
  })
}
