// What says that the database is out of reach: SQLSTATEs of connections and shutdowns, Node's own codes, and what the driver says
// where it has no code to give.

const CODE = /^(?:08...|57P..|E(?:CONN|HOST|NET)[A-Z]+|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN)$/
const MESSAGE = /Connection terminated|timeout exceeded when trying to connect|is not queryable|Query read timeout/

export function isAway(error: unknown): boolean {
  const { code, message = '' } = error as { code?: unknown; message?: string }
  return typeof code === 'string' ? CODE.test(code) : MESSAGE.test(message)
}
