// GraphiQL as one page with nothing to load from elsewhere, its subscriptions by server-sent events,
// so that what is written under Headers, such as a key, goes with all of them.
import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { renderGraphiQL } from '@graphql-yoga/render-graphiql'
import { examples } from './examples.ts'
import { graphiqlPolicy } from './headers.ts'

const DAY_MS = 86_400_000

const compress = promisify(gzip)

/** Variables of the examples that need some: the day that ends with this hour. */
function readVariables(query: string, now: Date): string | undefined {
  if (!query.includes('$from')) return undefined
  const to = new Date(now)
  to.setUTCMinutes(60, 0, 0)
  return JSON.stringify({ from: new Date(to.getTime() - DAY_MS), to }, null, 2)
}

export const renderPage = (now: Date): string =>
  renderGraphiQL({
    title: 'Lookout: GraphiQL',
    endpoint: '/graphql',
    subscriptionsProtocol: 'SSE',
    defaultTabs: examples.map((query) => ({ query, variables: readVariables(query, now) })),
    favicon: 'data:,',
  })

interface Page {
  body: Buffer
  policy: string
}

async function makePage(html: string): Promise<Page> {
  const scripts = [...html.matchAll(/<script>([^]*?)<\/script>/g)].map(([, script = '']) => script)
  const hashes = scripts.map((script) => createHash('sha256').update(script).digest('base64'))
  return { body: await compress(html), policy: graphiqlPolicy(hashes) }
}

export interface Graphiql {
  /** A browser that looks at the address itself, not at what an operation answers. */
  isAskedFor(request: IncomingMessage): boolean
  serve(request: IncomingMessage, response: ServerResponse): Promise<void>
}

export function makeGraphiql(clock: () => Date = () => new Date()): Graphiql {
  // 9 MB of script: made when first asked for, and again when its examples' hour has passed.
  let made: { hour: number; page: Promise<Page> } | undefined

  function page(): Promise<Page> {
    const now = clock()
    const hour = Math.floor(now.getTime() / 3_600_000)
    if (made?.hour !== hour) made = { hour, page: makePage(renderPage(now)) }
    return made.page
  }

  return {
    isAskedFor: ({ method, headers }) => method === 'GET' && (headers.accept ?? '').includes('text/html'),
    async serve(_request, response) {
      const { body, policy } = await page()
      response.writeHead(200, {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': policy,
        'content-encoding': 'gzip',
        'content-length': body.length,
        'cache-control': 'no-cache',
      })
      response.end(body)
    },
  }
}
