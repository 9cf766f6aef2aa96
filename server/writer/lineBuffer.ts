// COPY lines gathered as bytes outside the heap. Kept as strings they would outlive the young generation while they wait
// for their commit, and a third of the process's time would go into collecting them.

const LINE_BYTES_GUESSED = 256
/** Of UTF-8, for one UTF-16 unit. */
const BYTES_PER_UNIT_MAX = 3

export interface LineBuffer {
  /** Adds a line with its line end, as text or as text whose characters are bytes of UTF-8. */
  add(line: string, encoding: 'utf8' | 'latin1'): void
  /** Bytes so far. */
  size(): number
  /** All lines; nothing may be added afterwards. */
  bytes(): Buffer
}

export function makeLineBuffer(linesExpected: number): LineBuffer {
  let buffer = Buffer.allocUnsafeSlow(Math.max(1, linesExpected) * LINE_BYTES_GUESSED)
  let size = 0

  return {
    add(line, encoding) {
      const needed = size + line.length * BYTES_PER_UNIT_MAX
      if (needed > buffer.length) {
        const larger = Buffer.allocUnsafeSlow(Math.max(needed, buffer.length * 2))
        buffer.copy(larger, 0, 0, size)
        buffer = larger
      }
      size += buffer.write(line, size, encoding)
    },
    size: () => size,
    bytes: () => buffer.subarray(0, size),
  }
}
