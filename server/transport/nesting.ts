// How deep brackets stand inside each other. GraphQL reads, checks and prints a document by functions that call themselves for each
// level: one nested by the thousand, such as a list in a list in a list, would fill the stack.
import { GraphQLError, Lexer, Source, TokenKind } from 'graphql'

const OPENING = new Set<string>([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L])
const CLOSING = new Set<string>([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R])

/**
 * Looks at the tokens that may be read at all, no further.
 * @throws GraphQLError where they are nested deeper, or are no tokens.
 */
export function assertNesting(
  text: string,
  { nestingMax, tokensMax }: { nestingMax: number; tokensMax: number },
): void {
  const lexer = new Lexer(new Source(text))
  let level = 0
  for (let tokens = 0; tokens < tokensMax; tokens++) {
    const { kind } = lexer.advance()
    if (kind === TokenKind.EOF) return
    if (CLOSING.has(kind)) level--
    else if (OPENING.has(kind) && ++level > nestingMax) {
      throw new GraphQLError(`The document is nested deeper than ${nestingMax} levels of brackets.`)
    }
  }
}
