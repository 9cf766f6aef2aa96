// The API key of this tab, where the server wants one. It is kept for the tab alone, and goes along only where the page sends it.
import { inject, shallowRef, type InjectionKey, type ShallowRef } from 'vue'

const NAME = 'lookout.key'

export interface Session {
  /** The key that this page was loaded with. */
  readonly key: string | null
  /** Why the server lets this page in no longer, or not yet; null while it does. */
  readonly refusal: Readonly<ShallowRef<string | null>>
  refuse(): void
  /** Tries a key: null when it is taken, and the page loads again with it; else why it is not. */
  signIn(key: string): Promise<string | null>
  signOut(): void
}

export interface SessionOptions {
  /** Of the GraphQL endpoint. */
  url: string
  storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>
  reload: () => void
}

export function makeSession({ url, storage, reload }: SessionOptions): Session {
  const key = storage.getItem(NAME)
  const refusal = shallowRef<string | null>(null)
  return {
    key,
    refusal,
    refuse() {
      storage.removeItem(NAME)
      refusal.value =
        key === null
          ? 'This Lookout shows its numbers to those who hold an API key.'
          : 'The key of this tab has ended: it was revoked, or has expired.'
    },
    async signIn(tried) {
      const fault = await readRefusal(url, tried)
      if (fault === null) {
        storage.setItem(NAME, tried)
        reload()
      }
      return fault
    },
    signOut() {
      storage.removeItem(NAME)
      reload()
    },
  }
}

/** Asks for what the dashboard asks for first. */
async function readRefusal(url: string, key: string): Promise<string | null> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...bearer(key) },
      body: JSON.stringify({ query: '{ metricCatalogue { metric } }' }),
    })
    const { errors } = (await response.json()) as { errors?: { message: string }[] }
    return errors?.[0]?.message ?? null
  } catch {
    return 'The server does not answer: check that it runs, and try again.'
  }
}

export const bearer = (key: string | null): { authorization?: string } =>
  key === null ? {} : { authorization: `Bearer ${key}` }

export const SESSION: InjectionKey<Session> = Symbol('session')

export function useSession(): Session {
  const session = inject(SESSION)
  if (!session) throw new Error('No session is provided: main.ts does that before it mounts the page.')
  return session
}
