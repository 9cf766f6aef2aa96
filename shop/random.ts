// A small seeded generator (sfc32): the same seed gives the same shop, row by row.

export interface Random {
  /** Uniform in [0, 1). */
  next(): number
  /** Uniform whole number in [0, bound). */
  below(bound: number): number
  /** Uniform in [low, high). */
  between(low: number, high: number): number
  /** True with this probability. */
  chance(probability: number): boolean
  /** Exponentially distributed with this mean. */
  exponential(mean: number): number
  /** Standard normal (Box-Muller). */
  normal(): number
  /** Thirty-two random bits, unsigned. */
  bits(): number
  /** A UUID of version 7 (RFC 9562): its time is `atMs`, the rest is drawn, so ids are in time order. */
  uuid(atMs: number): string
}

/** Makes a generator; text and numbers are both fine as a seed. */
export function makeRandom(seed: string | number): Random {
  const bits = sfc32(seedWords(String(seed)))
  const next = () => bits() / 2 ** 32
  return {
    next,
    bits,
    below: (bound) => Math.floor(next() * bound),
    between: (low, high) => low + next() * (high - low),
    chance: (probability) => next() < probability,
    exponential: (mean) => -Math.log(1 - next()) * mean,
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    uuid(atMs) {
      const time = hex(Math.floor(atMs / 65536)) + hex(atMs % 65536, 4)
      const tail = hex(bits())
      const [third, fourth] = [hex(bits() & 0xfff, 3), hex((bits() & 0x3fff) | 0x8000, 4)]
      return `${time.slice(0, 8)}-${time.slice(8)}-7${third}-${fourth}-${tail}${hex(bits() & 0xffff, 4)}`
    },
  }
}

/** A draw from `values` in proportion to `weights`, by binary search over their running sum. */
export function makeWeighted<T>(values: readonly T[], weights: readonly number[]): (random: Random) => T {
  let sum = 0
  const edges = weights.map((weight) => (sum += weight))
  return (random) => {
    const target = random.next() * sum
    let [low, high] = [0, edges.length - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (edges[middle]! > target) high = middle
      else low = middle + 1
    }
    return values[low]!
  }
}

/** The values in an order drawn at random (Fisher-Yates), as a new array. */
export function shuffled<T>(values: readonly T[], random: Random): T[] {
  const result = [...values]
  for (let index = result.length - 1; index > 0; index--) {
    const other = random.below(index + 1)
    const value = result[index]!
    result[index] = result[other]!
    result[other] = value
  }
  return result
}

function hex(value: number, digits = 8): string {
  return (value >>> 0).toString(16).padStart(digits, '0')
}

// Chris Doty-Humphrey's sfc32 (PractRand); its first rounds only stir the seed.
function sfc32(words: [number, number, number, number]): () => number {
  let [a, b, c, counter] = words
  const step = () => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    c |= 0
    return sum >>> 0
  }
  for (let round = 0; round < 15; round++) step()
  return step
}

function seedWords(text: string): [number, number, number, number] {
  const words = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 0xdeadbeef].map((start) => {
    let hash = start
    for (let index = 0; index < text.length; index++) {
      hash = Math.imul(hash ^ text.charCodeAt(index), 2654435761)
      hash ^= hash >>> 15
    }
    return Math.imul(hash ^ (hash >>> 13), 3266489917) >>> 0
  })
  return words as [number, number, number, number]
}
