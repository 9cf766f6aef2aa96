// What browsers are told to hold each answer to. An answer of the API loads nothing; the pages load their own files alone.

const policy = (parts: Record<string, string>): string =>
  Object.entries(parts)
    .map(([name, value]) => `${name} ${value}`)
    .join('; ')

const CLOSED = { 'default-src': "'none'", 'base-uri': "'none'", 'form-action': "'none'", 'frame-ancestors': "'none'" }

export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': policy(CLOSED),
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

/** Of the dashboard. Charts write their own styles; scripts come from files, and from nowhere else. */
export const DASHBOARD_POLICY = policy({
  ...CLOSED,
  'script-src': "'self'",
  'style-src': "'self' 'unsafe-inline'",
  'font-src': "'self'",
  'img-src': "'self' data:",
  'connect-src': "'self'",
  'manifest-src': "'self'",
})

/** Of GraphiQL, which is one page with its scripts in it: those with these hashes run, and no others. */
export const graphiqlPolicy = (scriptHashes: readonly string[]): string =>
  policy({
    ...CLOSED,
    'script-src': scriptHashes.map((hash) => `'sha256-${hash}'`).join(' '),
    'style-src': "'unsafe-inline'",
    'font-src': 'data:',
    'img-src': 'data:',
    'connect-src': "'self'",
    'worker-src': 'blob:',
  })
