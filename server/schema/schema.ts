// The whole schema: every room's part on one builder, in the order of the flow.
import { type GraphQLSchema, isObjectType } from 'graphql'
import { addIngestMutations } from '../ingest/graphql.ts'
import { addAggregates } from './aggregates.ts'
import { makeBuilder } from './builder.ts'
import { addMetrics } from './metrics.ts'
import { addStats } from './stats.ts'
import { addStreams } from './streams.ts'
import { addTheLook } from './thelook/thelook.ts'

/** Builds the schema; resolvers find what they need in their context. */
export function makeSchema(): GraphQLSchema {
  const builder = makeBuilder()
  builder.queryType({ description: 'What can be read: metrics over windows and history, and theLook itself.' })
  builder.mutationType({
    description: 'What comes in. An answer means the rows are committed, and in every aggregate already.',
  })
  addIngestMutations(builder)
  const theLook = addTheLook(builder)
  const metrics = addMetrics(builder)
  addAggregates(builder)
  const stats = addStats(builder)
  addStreams(builder, metrics, theLook, stats)
  return describeCounts(builder.toSchema({ sortSchema: true }))
}

/** The Prisma plugin makes totalCount itself and leaves no place for its description. */
function describeCounts(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || !type.name.endsWith('Connection')) continue
    const { totalCount } = type.getFields()
    if (totalCount) totalCount.description ??= 'How many there are in all, whatever the page.'
  }
  return schema
}
