// The key in "authorization: Bearer …", among headers or in what a socket is initialised with, however its name is written.

/** Nothing, where nothing was sent; what is no bearer token is taken as it is, and is no key either. */
export function readBearer(named: Readonly<Record<string, unknown>>): string | undefined {
  const name = Object.keys(named).findLast((each) => each.toLowerCase() === 'authorization')
  const said = name === undefined ? undefined : named[name]
  if (said === undefined || said === null || said === '') return undefined
  const text = typeof said === 'string' ? said : JSON.stringify(said)
  return /^bearer +(\S+) *$/i.exec(text)?.[1] ?? text
}
