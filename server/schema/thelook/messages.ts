// Message: what was posted to one of the three columns.
import type { Prisma } from '../../db/generated/prisma/client.ts'
import type { Builder } from '../builder.ts'
import { prismaOf } from '../prisma.ts'
import { addOrdering, between, oneOf, page, readUuid, type SharedInputs } from './inputs.ts'

export function addMessages(builder: Builder, shared: SharedInputs) {
  const { enums } = builder

  const Where = builder.inputType('MessageWhere', {
    description: 'Which messages; everything given must hold.',
    fields: (t) => ({
      messageIds: t.idList({ description: 'These, by their own key.' }),
      severities: t.field({ type: [enums.Severity], description: 'In one of these columns.' }),
      channels: t.stringList({ description: 'From one of these channels.' }),
      createdAt: t.field({ type: shared.DateTimeRange, description: 'Posted within.' }),
    }),
  })
  const order = addOrdering(
    builder,
    shared,
    'Message',
    {
      CREATED_AT: { value: 'createdAt', description: 'When they were posted.' },
      MESSAGE_ID: { value: 'id', description: 'Their key.' },
    },
    'id',
  )
  const where = (given: typeof Where.$inferInput | null | undefined): Prisma.MessageWhereInput | undefined =>
    given
      ? {
          id: oneOf(given.messageIds, readUuid),
          severity: oneOf(given.severities),
          channel: oneOf(given.channels),
          createdAt: between(given.createdAt),
        }
      : undefined

  const Message = builder.prismaNode('Message', {
    description: 'A message posted to one of the three columns.',
    id: { resolve: (message) => message.id, description: 'Global id, for node(id).' },
    findUnique: (id) => ({ id: readUuid(id) }),
    nullable: true,
    fields: (t) => ({
      messageId: t.exposeID('id', { description: 'Its key (UUID).' }),
      severity: t.expose('severity', { type: enums.Severity, description: 'Its column.' }),
      title: t.exposeString('title', { description: 'What it says, in a line. Text, never markup.' }),
      text: t.exposeString('text', { nullable: true, description: 'What else it says. Text, never markup.' }),
      payload: t.expose('payload', { type: 'JSON', nullable: true, description: 'Data that came with it.' }),
      channel: t.exposeString('channel', { nullable: true, description: 'Who posted it: a service, a job.' }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was posted.' }),
    }),
  })

  builder.queryField('messages', (t) =>
    t.prismaConnection({
      ...page,
      type: Message,
      description: 'Messages, newest first unless ordered otherwise.',
      cursor: 'id',
      args: {
        where: t.arg({ type: Where, description: 'Which ones; all, if left out.' }),
        orderBy: t.arg({
          type: order.OrderBy,
          required: true,
          defaultValue: { field: 'createdAt', direction: 'desc' },
          description: 'In which order.',
        }),
      },
      totalCount: (_root, args, context) => prismaOf(context).message.count({ where: where(args.where) }),
      resolve: (query, _root, args, context) =>
        prismaOf(context).message.findMany({ ...query, where: where(args.where), orderBy: order.read(args.orderBy) }),
    }),
  )

  return { Message }
}
