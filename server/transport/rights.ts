// What a key may do is decided here, for all transports, before an operation runs.
import { type ExecutionArgs, getOperationAST } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { demand } from '../access/callers.ts'
import type { Context } from '../schema/context.ts'

interface Hook {
  args: ExecutionArgs
  setResultAndStopExecution(result: { errors: unknown[] }): void
}

/** Mutations want the role ingest, queries and subscriptions view. */
export function checkRights(): Plugin {
  const check = ({ args, setResultAndStopExecution }: Hook) => {
    const operation = getOperationAST(args.document, args.operationName)
    if (!operation) return
    const { caller } = args.contextValue as Context
    try {
      demand(caller, operation.operation === 'mutation' ? 'ingest' : 'view')
    } catch (error) {
      setResultAndStopExecution({ errors: [error] })
    }
  }
  return { onExecute: check as Plugin['onExecute'], onSubscribe: check as Plugin['onSubscribe'] }
}
