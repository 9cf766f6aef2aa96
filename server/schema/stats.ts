// How the server does: the type behind Query.stats and Subscription.stats.
import type { Builder } from './builder.ts'
import type { Stats as StatsShape } from './context.ts'

export function addStats(builder: Builder) {
  const Stats = builder.objectRef<StatsShape>('Stats').implement({
    description: 'How the server does. Counts are since it started.',
    fields: (t) => ({
      at: t.expose('at', { type: 'DateTime', description: 'When this was read.' }),
      startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When this server started.' }),
      uptimeSeconds: t.exposeFloat('uptimeSeconds', { description: 'For how long it has been up.' }),
      rowsAccepted: t.exposeFloat('rowsAccepted', { description: 'Rows written and committed.' }),
      rowsDuplicate: t.exposeFloat('rowsDuplicate', { description: 'Rows seen before, and not written again.' }),
      rowsRejected: t.exposeFloat('rowsRejected', { description: 'Rows refused, each with a reason.' }),
      rowsPerSecond: t.exposeFloat('rowsPerSecond', {
        description: 'Accepted rows a second, over the last 5 seconds.',
      }),
      queueRows: t.exposeInt('queueRows', { description: 'Rows waiting or being written.' }),
      queueRowsMax: t.exposeInt('queueRowsMax', {
        description: 'The bound of queueRows; beyond it calls are answered OVERLOADED.',
      }),
      commitLatencyMs: t.exposeFloat('commitLatencyMs', {
        nullable: true,
        description: 'Median of the last 256 commits, in milliseconds; null before the first.',
      }),
      streamLagMs: t.exposeFloat('streamLagMs', {
        nullable: true,
        description:
          'From commit until the change reader has seen it, in milliseconds: median of the last 256 changes, of the last minute; null: there were none.',
      }),
      subscribers: t.exposeInt('subscribers', { description: 'Live subscriptions.' }),
      windows: t.exposeInt('windows', { description: 'Distinct windows computed now.' }),
      memoryBytes: t.exposeFloat('memoryBytes', { description: 'Memory the server takes, in bytes.' }),
      databaseBytes: t.exposeFloat('databaseBytes', { description: 'What the database takes on disk, in bytes.' }),
      databaseVersion: t.exposeString('databaseVersion', { description: "PostgreSQL's version." }),
    }),
  })
  builder.queryField('stats', (t) =>
    t.field({
      type: Stats,
      description: 'Rows ingested, rejected, subscribers, lag, memory, uptime.',
      resolve: (_root, _args, { services }) => services.stats(),
    }),
  )
  return { Stats }
}
