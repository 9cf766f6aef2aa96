// Time-ordered UUIDs (RFC 9562, version 7): new keys land at the right edge of their index. PostgreSQL before 18 has none.
import { randomFillSync } from 'node:crypto'

const POOL_BYTES = 8192
/** Hexadecimal digits of randomness an id takes after its counter. */
const TAIL_DIGITS = 16
const VARIANTS = ['8', '9', 'a', 'b'] as const
const COUNTER_END = 0x1000

/** Makes a source of ids that grow, also within a millisecond (12-bit counter) and when the clock steps back. */
export function makeUuid7(clock: () => number = Date.now): () => string {
  const bytes = Buffer.allocUnsafe(POOL_BYTES)
  let digits = ''
  let position = 0
  let millisecond = 0
  let counter = 0
  let head = ''

  const advance = (to: number) => {
    millisecond = to
    // The lower half, so that a millisecond has at least 2,048 ids before the counter runs over into the next.
    counter = Math.floor(Math.random() * (COUNTER_END / 2))
    const time = to.toString(16).padStart(12, '0')
    head = `${time.slice(0, 8)}-${time.slice(8)}-7`
  }

  return () => {
    const now = clock()
    counter += 1
    if (now > millisecond) advance(now)
    else if (counter === COUNTER_END) advance(millisecond + 1)
    if (position + TAIL_DIGITS > digits.length) {
      digits = randomFillSync(bytes).toString('hex')
      position = 0
    }
    const variant = VARIANTS[digits.charCodeAt(position) & 3]
    const tail = `${variant}${digits.slice(position + 1, position + 4)}-${digits.slice(position + 4, position + TAIL_DIGITS)}`
    position += TAIL_DIGITS
    return `${head}${(counter + COUNTER_END).toString(16).slice(1)}-${tail}`
  }
}
