// The continuous aggregates there are, and the proof that each is true.
import type { Database } from '../db/index.ts'
import type { Builder } from './builder.ts'

interface Aggregate {
  name: string
  source: string
  definition: string
  bucketWidthMs: number
  groupKeys: string[]
  aggregates: string[]
  retentionMs: number | null
  sizeBytes: number
}

/** Those whose buckets are times; an aggregate over whole numbers has no width in time to show. */
const listed = `
  select view_name as name, source, definition, group_keys as "groupKeys", aggregates, size_bytes::float8 as "sizeBytes",
    (extract(epoch from bucket_width::interval) * 1000)::float8 as "bucketWidthMs",
    (extract(epoch from retention) * 1000)::float8 as "retentionMs"
  from (select * from cagg.continuous_aggregates where bucket_width !~ '^-?\\d+$' offset 0) as timed
  order by source, "bucketWidthMs", name`

const DRIFT_TIMEOUT_MS = 120_000

/** On a connection of its own: those of the pool are for what is short. */
async function readDrift(database: Pick<Database, 'connect'>, name: string): Promise<number> {
  const client = await database.connect({ queryTimeoutMs: DRIFT_TIMEOUT_MS + 1_000 })
  try {
    await client.query(`set default_transaction_read_only = on; set statement_timeout = ${DRIFT_TIMEOUT_MS}`)
    const { rows } = await client.query<{ drift: string }>('select cagg.drift($1) as drift', [name])
    return Number(rows[0]?.drift)
  } finally {
    void client.end().catch(() => undefined)
  }
}

export function addAggregates(builder: Builder): void {
  // Each reads all raw rows of a view: one at a time is what a database with other work can bear.
  let queue: Promise<unknown> = Promise.resolve()
  /** Asked for and not read yet: who asks meanwhile gets the same answer, so no more wait than there are aggregates. */
  const asked = new Map<string, Promise<number>>()

  const ContinuousAggregate = builder.objectRef<Aggregate>('ContinuousAggregate').implement({
    description: 'An aggregate that is kept up to date in the transaction of every write.',
    fields: (t) => ({
      name: t.exposeString('name', { description: 'The view it is read from.' }),
      source: t.exposeString('source', {
        description: 'The table, or the finer continuous aggregate, it is folded from.',
      }),
      definition: t.exposeString('definition', { description: 'The query it always equals.' }),
      bucketWidth: t.expose('bucketWidthMs', { type: 'Duration', description: 'Width of its buckets.' }),
      groupKeys: t.exposeStringList('groupKeys', {
        description: 'What its rows are told apart by, beside the bucket.',
      }),
      aggregates: t.exposeStringList('aggregates', { description: 'Its measures.' }),
      retention: t.expose('retentionMs', {
        type: 'Duration',
        nullable: true,
        description: 'How long its buckets are kept; null: for ever.',
      }),
      sizeBytes: t.exposeFloat('sizeBytes', { description: 'What it takes on disk, in bytes.' }),
      drift: t.float({
        description:
          'Rows by which it differs from its definition run now on the raw rows (costly: asked for by name). 0 is the proof.',
        complexity: 100,
        resolve: ({ name }, _args, { services }) => {
          const known = asked.get(name)
          if (known) return known
          const drift = queue.then(() => {
            asked.delete(name)
            return readDrift(services.database, name)
          })
          asked.set(name, drift)
          queue = drift.catch(() => undefined)
          return drift
        },
      }),
    }),
  })

  builder.queryField('continuousAggregates', (t) =>
    t.field({
      type: [ContinuousAggregate],
      description: 'The continuous aggregates that feed the metrics.',
      resolve: async (_root, _args, { services }) => (await services.database.pool.query<Aggregate>(listed)).rows,
    }),
  )
}
