// GraphiQL as one page with nothing to load from elsewhere, its subscriptions by server-sent events,
// so that what is written under Headers, such as a key, goes with all of them.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import type { renderGraphiQL } from '@graphql-yoga/render-graphiql'
import { examples } from './examples.ts'
import { graphiqlPolicy } from './headers.ts'

const DAY_MS = 86_400_000

// Rendering means 35 MB of text in memory, so it is done in a thread that takes them along when it ends.
const inThread = `
  const { createHash } = require('node:crypto')
  const { parentPort, workerData } = require('node:worker_threads')
  const html = require(workerData.module).renderGraphiQL(workerData.options)
  const scripts = [...html.matchAll(/<script>([^]*?)<\\/script>/g)].map(([, script]) => script)
  const hashes = scripts.map((script) => createHash('sha256').update(script).digest('base64'))
  parentPort.postMessage({ body: require('node:zlib').gzipSync(html), hashes })`
const module = createRequire(import.meta.url).resolve('@graphql-yoga/render-graphiql')

/** Variables of the examples that need some: the day that ends with this hour. */
function readVariables(query: string, now: Date): string | undefined {
  if (!query.includes('$from')) return undefined
  const to = new Date(now)
  to.setUTCMinutes(60, 0, 0)
  return JSON.stringify({ from: new Date(to.getTime() - DAY_MS), to }, null, 2)
}

interface Page {
  /** Gzipped. */
  body: Uint8Array
  policy: string
}

function renderPage(now: Date): Promise<Page> {
  const options: Parameters<typeof renderGraphiQL>[0] = {
    title: 'Lookout: GraphiQL',
    endpoint: '/graphql',
    subscriptionsProtocol: 'SSE',
    defaultTabs: examples.map((query) => ({ query, variables: readVariables(query, now) })),
    favicon: 'data:,',
  }
  return new Promise((resolve, reject) => {
    const thread = new Worker(inThread, { eval: true, workerData: { module, options }, execArgv: [] })
    thread.once('message', ({ body, hashes }: { body: Uint8Array; hashes: string[] }) =>
      resolve({ body, policy: graphiqlPolicy(hashes) }),
    )
    thread.once('error', reject)
  })
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
    if (made?.hour === hour) return made.page
    const page = renderPage(now)
    made = { hour, page }
    // What fails is not kept for the hour.
    page.catch(() => (made = undefined))
    return page
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
