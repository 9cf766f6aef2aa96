// What an operation may cost, counted before it runs. Page sizes come by variables, so this is no validation rule.
import type { Plugin } from 'graphql-yoga'
import { type DocumentNode, type ExecutionArgs, getOperationAST, Kind } from 'graphql'
import { complexityFromQuery } from '@pothos/plugin-complexity'
import { LookoutError } from '../errors.ts'

/** Points of the operation that is asked for; 0 for mutations, whose rows have limits of their own. */
export function costOf({ schema, document, operationName, variableValues, contextValue }: ExecutionArgs): number {
  const operation = getOperationAST(document, operationName)
  if (!operation || operation.operation === 'mutation') return 0
  const fragments = document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION)
  const asked: DocumentNode = { kind: Kind.DOCUMENT, definitions: [operation, ...fragments] }
  const { complexity } = complexityFromQuery(asked, {
    schema,
    ctx: contextValue as object,
    variables: variableValues ?? {},
  })
  return complexity
}

/** Stops operations beyond `complexityMax` before they begin. */
export function limitCost(complexityMax: number): Plugin {
  const check = ({ args, setResultAndStopExecution }: Hook) => {
    try {
      const cost = costOf(args)
      if (cost <= complexityMax) return
      const message = `The operation costs ${cost} points; ${complexityMax} are allowed. Ask for smaller pages.`
      setResultAndStopExecution({ errors: [new LookoutError('BAD_REQUEST', message)] })
    } catch (error) {
      setResultAndStopExecution({ errors: [error] })
    }
  }
  return { onExecute: check as Plugin['onExecute'], onSubscribe: check as Plugin['onSubscribe'] }
}

interface Hook {
  args: ExecutionArgs
  setResultAndStopExecution(result: { errors: unknown[] }): void
}
