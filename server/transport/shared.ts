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
  /** The one that was asked for last: a message goes to all at once. */
  last?: { message: object; answer: MaybePromise<Result> }
  /** Operations that ask it now. */
  operations: number
}

/** A result that is made text, and the transports' bytes, once for all who are sent it. */
export class SharedResult implements Result {
  readonly data: unknown
  readonly errors = undefined
  #text?: string
  /** The end of a message on a socket. */
  tail?: Buffer
  /** A server-sent event. */
  event?: Buffer

  constructor(data: unknown) {
    this.data = data
  }

  get text(): string {
    return (this.#text ??= JSON.stringify({ data: this.data }))
  }
}

export const textOf = (result: Result): string =>
  result instanceof SharedResult ? result.text : JSON.stringify(result)

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

function answer(question: Question, args: ExecutionArgs, message: object): MaybePromise<Result> {
  const { answers, last } = question
  if (last?.message === message) return last.answer
  const known = answers.get(message) ?? make(answers, args, message)
  question.last = { message, answer: known }
  return known
}

function make(answers: Question['answers'], args: ExecutionArgs, message: object): MaybePromise<Result> {
  const made = execute({ ...args, rootValue: message })
  const result = made instanceof Promise ? made.then(share) : share(made as Result)
  answers.set(message, result)
  return result
}

/** Errors become text for each caller anew: they name the caller's request. */
const share = (result: Result): Result => (result.errors ? result : new SharedResult(result.data))
