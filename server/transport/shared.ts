// One execution and one text for each message, however many operations ask the same of it. Streams hand the same object to all
// who are due the same message; what is made of it depends on nothing else but the document and its variables, so it is kept
// with the message and goes with it. What differs by caller must therefore differ in the message, not in a resolver below it.
import {
  createSourceEventStream,
  type DocumentNode,
  execute,
  type ExecutionArgs,
  getOperationAST,
  print,
} from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { isStream, type Stream } from '../outlet.ts'
import type { Result } from './failures.ts'
import { mapStream, type MaybePromise } from './mapStream.ts'

/** What is asked of each message by operations of one form. */
interface Question {
  answers: WeakMap<object, MaybePromise<Result>>
  /** Operations that ask it now. */
  operations: number
}

/** Yoga takes a result's own way to become text; all transports do. */
export interface SharedResult extends Result {
  stringify?: () => string
}

export const textOf = (result: SharedResult): string => result.stringify?.() ?? JSON.stringify(result)

export function shareResults(): Plugin {
  // Yoga parses equal texts once, so equal documents are the same object.
  const questions = new WeakMap<DocumentNode, Map<string, Question>>()

  async function subscribe(args: ExecutionArgs) {
    const source = await createSourceEventStream(args)
    if (!isStream(source)) return source
    const form = formOf(args)
    const ofDocument = questions.get(args.document) ?? new Map<string, Question>()
    const question = ofDocument.get(form) ?? { answers: new WeakMap(), operations: 0 }
    questions.set(args.document, ofDocument.set(form, question))
    question.operations++
    return mapStream(source as Stream<object>, {
      each: (message) => answer(question, args, message),
      over: () => --question.operations === 0 && ofDocument.delete(form),
    })
  }

  return { onSubscribe: ({ setSubscribeFn }) => setSubscribeFn(subscribe as never) }
}

/** Equal for operations that are told apart by nothing but where they go on from. */
function formOf({ document, operationName, variableValues }: ExecutionArgs): string {
  const operation = getOperationAST(document, operationName)
  const cursors = (operation?.variableDefinitions ?? [])
    .filter(({ type }) => /^Cursor!?$/.test(print(type)))
    .map(({ variable }) => variable.name.value)
  const said = Object.entries(variableValues ?? {}).filter(([name]) => !cursors.includes(name))
  return JSON.stringify([operationName ?? null, said.sort(([a], [b]) => (a < b ? -1 : 1))])
}

function answer({ answers }: Question, args: ExecutionArgs, message: object): MaybePromise<Result> {
  const known = answers.get(message)
  if (known) return known
  const made = execute({ ...args, rootValue: message })
  const answered = made instanceof Promise ? made.then(withText) : withText(made as Result)
  answers.set(message, answered)
  if (answered instanceof Promise) {
    answered.then(
      (result) => answers.set(message, result),
      () => answers.delete(message),
    )
  }
  return answered
}

/** Errors become text for each caller anew: they name the caller's request. */
function withText(result: Result): Result {
  if (result.errors) return result
  let text: string | undefined
  return Object.defineProperty(result, 'stringify', { value: () => (text ??= JSON.stringify(result)) })
}
