// What went wrong, in words a person can act on. Codes are the closed list of the API; anything else is shown as it came.
import type { CombinedError } from '@urql/core'

export interface Fault {
  /** The API's error code, or NETWORK when no answer came. */
  code: string
  message: string
  advice: string
}

const ADVICE: Record<string, string> = {
  BAD_REQUEST: 'Page and server may be of different versions: reload the page.',
  FORBIDDEN: 'This page may not read here: open it from the address the server printed, with a key of the role view.',
  NETWORK: 'Check that the server runs (npm start) and can be reached from here.',
  OVERLOADED: 'The server has more to do than it can; it is asked again shortly.',
  RATE_LIMITED: 'Too many calls from here; it is asked again shortly.',
  UNAUTHENTICATED: 'Load the page again, and sign in.',
  UNAVAILABLE: 'The database is away; it is asked again shortly.',
}

/** The first fault of an answer, with what to do about it. */
export function readFault(error: CombinedError): Fault {
  const [first] = error.graphQLErrors
  const code = first ? String(first.extensions?.code ?? 'ERROR') : 'NETWORK'
  return {
    code,
    message: first?.message ?? 'The server cannot be reached, or broke off.',
    advice: ADVICE[code] ?? 'It is asked again shortly; the server’s log says more.',
  }
}
