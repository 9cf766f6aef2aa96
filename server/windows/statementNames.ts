// Names for statements that come again and again: a connection that was given a name once does not plan its statement anew.
import { createHash } from 'node:crypto'

/** So often a statement must have come to be given a name. */
const USES_MIN = 3

/** `max`: PostgreSQL keeps each name, with its plan, for every connection. */
export function makeStatementNames(max: number): (text: string) => string | undefined {
  const names = new Map<string, string>()
  const uses = new Map<string, number>()

  return (text) => {
    const known = names.get(text)
    if (known || names.size >= max) return known
    const times = (uses.get(text) ?? 0) + 1
    if (times < USES_MIN) {
      // What comes once only is forgotten.
      if (times === 1 && uses.size >= 10 * max) uses.clear()
      uses.set(text, times)
      return undefined
    }
    uses.delete(text)
    const name = `lookout_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`
    names.set(text, name)
    return name
  }
}
