// What each metric means, asked for once: titles, units, kinds and which way is good all come from the server's catalogue.
import type { Client } from '@urql/core'
import { shallowRef, type InjectionKey, type ShallowRef } from 'vue'
import { backoffMs } from '../api/backoff.ts'
import { readFault, type Fault } from '../api/fault.ts'
import { CatalogueDocument, type CatalogueQuery, type Metric } from '../api/generated/documents.ts'

export type MetricInfo = CatalogueQuery['metricCatalogue'][number]

export interface Catalogue {
  readonly entries: Readonly<ShallowRef<ReadonlyMap<Metric, MetricInfo> | undefined>>
  readonly fault: Readonly<ShallowRef<Fault | null>>
  retry(): void
  close(): void
}

export const CATALOGUE: InjectionKey<Catalogue> = Symbol('catalogue')

/** Asks until there is an answer. */
export function makeCatalogue(client: Client): Catalogue {
  const entries = shallowRef<ReadonlyMap<Metric, MetricInfo>>()
  const fault = shallowRef<Fault | null>(null)
  let attempt = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  async function ask(): Promise<void> {
    clearTimeout(timer)
    const { data, error } = await client.query(CatalogueDocument, {}).toPromise()
    if (data) {
      entries.value = new Map(data.metricCatalogue.map((entry) => [entry.metric, entry]))
      fault.value = null
    } else {
      fault.value = error ? readFault(error) : null
      timer = setTimeout(ask, backoffMs(attempt++))
    }
  }
  void ask()
  return { entries, fault, retry: () => void ask(), close: () => clearTimeout(timer) }
}
