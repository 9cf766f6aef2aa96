// An API key as its holder sends it: lookout_<id>_<secret>. The id finds it in lists and leaked files, the secret proves it.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

const idBytes = 5
const secretBytes = 32
const FORM = /^lookout_([0-9a-f]{10})_([\w-]{43})$/

/** What is kept of a key. */
export interface KeptToken {
  id: string
  hash: Buffer
}

/** A new key; the token itself is shown once and kept nowhere. */
export function makeToken(): KeptToken & { token: string } {
  const id = randomBytes(idBytes).toString('hex')
  const secret = randomBytes(secretBytes).toString('base64url')
  return { id, hash: hashOf(secret), token: `lookout_${id}_${secret}` }
}

/** Nothing, where the text has not the form of a key. */
export function readToken(token: string): KeptToken | undefined {
  const [, id, secret] = FORM.exec(token) ?? []
  return id === undefined || secret === undefined ? undefined : { id, hash: hashOf(secret) }
}

export const isSame = (a: KeptToken, b: KeptToken): boolean =>
  a.id === b.id && a.hash.length === b.hash.length && timingSafeEqual(a.hash, b.hash)

/**
 * One round of SHA-256. Slow hashes protect what people think up; nobody guesses 256 random bits, however fast each guess, and
 * a slow one would have to be paid on every call.
 */
const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest()
