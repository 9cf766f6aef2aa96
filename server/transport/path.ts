// The path that a request asks for. What stands there comes as it was sent, and need not be one.
import type { IncomingMessage } from 'node:http'

const base = 'http://lookout'

/** Nothing, where it cannot be read as an address. */
export const pathOf = ({ url = '/' }: IncomingMessage): string | undefined =>
  URL.canParse(url, base) ? new URL(url, base).pathname : undefined
