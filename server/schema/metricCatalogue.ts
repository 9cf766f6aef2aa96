// The metric catalogue as the API shows it: what each number means, in words and data.
import { catalogue, type Direction, type MetricEntry, type MetricKind, type MetricUnit } from '../metrics/catalogue.ts'
import type { Builder } from './builder.ts'
import type { MetricTypes } from './metrics.ts'
import { textsOf } from './texts.ts'

type EnumOf<Name extends 'Metric' | 'Dimension'> = MetricTypes[Name]

/** Adds what the catalogue says of each metric. */
export function addCatalogue(builder: Builder, Metric: EnumOf<'Metric'>, Dimension: EnumOf<'Dimension'>): void {
  const MetricKind = builder.enumType('MetricKind', {
    description: 'How a metric behaves.',
    values: textsOf<MetricKind>({
      ADDITIVE: 'A sum: 0 where nothing happened.',
      RATIO: 'One sum over another: null where there is nothing under the line.',
      DISTINCT: 'How many different ones: parts do not add up.',
    }),
  })
  const MetricUnit = builder.enumType('MetricUnit', {
    description: 'What a metric is counted in.',
    values: textsOf<MetricUnit>({
      COUNT: 'A number of things.',
      MONEY: "The shop's currency.",
      RATIO: 'A fraction from 0 to 1.',
      SECONDS: 'Seconds.',
    }),
  })
  const Direction = builder.enumType('Direction', {
    description: 'What it means when a metric goes up.',
    values: textsOf<Direction>({
      GOOD: 'More is better.',
      BAD: 'More is worse.',
      NEUTRAL: 'Neither.',
    }),
  })
  const MetricInfo = builder.objectRef<MetricEntry>('MetricInfo').implement({
    description: "What a metric measures, in words and data: the dashboard's help shows the same words.",
    fields: (t) => ({
      metric: t.expose('metric', { type: Metric, description: 'Its name in the API.' }),
      title: t.exposeString('title', { description: 'Its name for people.' }),
      definition: t.exposeString('definition', { description: 'What it measures.' }),
      unit: t.expose('unit', { type: MetricUnit, description: 'What it is counted in.' }),
      kind: t.expose('kind', { type: MetricKind, description: 'How it behaves.' }),
      upIs: t.expose('upIs', { type: Direction, description: 'What it means when it goes up.' }),
      sources: t.stringList({ description: 'The tables it is computed from.', resolve: ({ sources }) => [...sources] }),
      dimensions: t.field({
        type: [Dimension],
        description: 'What it can be told apart and filtered by.',
        resolve: ({ dimensions }) => [...dimensions],
      }),
    }),
  })
  builder.queryField('metricCatalogue', (t) =>
    t.field({
      type: [MetricInfo],
      description: 'What each metric means.',
      resolve: () => [...catalogue],
    }),
  )
}
