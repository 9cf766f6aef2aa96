// Lets the text of a call's rows go once its resolver has looked at them. The request holds them until it is answered, which is many
// times as long, and memory outside of the heap is collected at a price.
import type { Plugin } from 'graphql-yoga'
import { JsonRows } from '../json/rows.ts'
import { onlyFieldOf } from './onlyField.ts'

export const releaseRows = (): Plugin => ({
  onExecute({ args, executeFn, setExecuteFn }) {
    const rows = Object.values(args.variableValues ?? {}).filter((value) => value instanceof JsonRows)
    // Of several fields the second one begins when the first one has ended.
    if (rows.length === 0 || !onlyFieldOf(args.document)) return
    setExecuteFn((given) => {
      // A resolver looks at its rows before it waits for anything.
      const result = executeFn(given) as unknown
      for (const each of rows) each.release()
      return result
    })
  },
})
