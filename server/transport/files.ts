// The built dashboard: files of one folder, hashed ones kept for ever, the page itself asked for each time.
import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join, normalize, sep } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { DASHBOARD_POLICY } from './headers.ts'

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
}
const COMPRESSIBLE = new Set(['.html', '.js', '.mjs', '.css', '.json', '.map', '.svg', '.txt', '.webmanifest'])
const COMPRESSED_FROM_BYTES = 1024
/** Larger files are streamed as they are. */
const COMPRESSED_BYTES_MAX = 4 * 1024 * 1024

const NOT_BUILT = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Lookout</title>
<p>The dashboard is not built yet. Run <code>npm run build</code>, then load this page again.</p>
<p>The API is at <a href="/graphql">/graphql</a>.</p>
</html>
`

const compress = promisify(gzip)

export interface Files {
  /** Answers a GET or HEAD for a path outside the API. */
  serve(request: IncomingMessage, response: ServerResponse, pathname: string): Promise<void>
}

export function makeFiles(publicDir: string): Files {
  // Compressed once a version of a file; the folder bounds how many there are.
  const compressed = new Map<string, { etag: string; body: Promise<Buffer> }>()

  async function find(path: string): Promise<{ file: string; bytes: number; etag: string } | undefined> {
    const file = normalize(join(publicDir, path))
    if (!file.startsWith(normalize(publicDir + sep))) return undefined
    const found = await stat(file).catch(() => undefined)
    if (!found?.isFile()) return undefined
    return { file, bytes: found.size, etag: `"${found.size.toString(36)}-${Math.trunc(found.mtimeMs).toString(36)}"` }
  }

  function decode(pathname: string): string | undefined {
    try {
      const path = decodeURIComponent(pathname)
      return path.includes('\0') ? undefined : path
    } catch {
      return undefined
    }
  }

  function bodyOf(file: string, etag: string): Promise<Buffer> {
    const known = compressed.get(file)
    if (known?.etag === etag) return known.body
    const body = readFile(file).then((content) => compress(content))
    compressed.set(file, { etag, body })
    body.catch(() => compressed.delete(file))
    return body
  }

  function plain(response: ServerResponse, status: number, type: string, body: string): void {
    response.writeHead(status, {
      'content-type': type,
      'cache-control': 'no-store',
      'content-length': Buffer.byteLength(body),
    })
    response.end(response.req.method === 'HEAD' ? undefined : body)
  }

  return {
    async serve(request, response, pathname) {
      const path = decode(pathname)
      if (path === undefined) return plain(response, 400, TYPES['.txt']!, 'This is no path.\n')
      // Paths of pages have no extension; the page's own script shows them.
      const isPage = extname(path) === ''
      const found = (isPage ? undefined : await find(path)) ?? (isPage ? await find('index.html') : undefined)
      if (!found) {
        if (isPage) return plain(response, 503, TYPES['.html']!, NOT_BUILT)
        return plain(response, 404, TYPES['.txt']!, 'There is no such file.\n')
      }
      const { file, bytes, etag } = found
      const extension = extname(file)
      if (extension === '.html') response.setHeader('content-security-policy', DASHBOARD_POLICY)
      const isHashed = path.startsWith('/assets/')
      response.setHeader('content-type', TYPES[extension] ?? 'application/octet-stream')
      response.setHeader('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache')
      response.setHeader('etag', etag)
      response.setHeader('vary', 'accept-encoding')
      if (request.headers['if-none-match'] === etag) {
        response.writeHead(304).end()
        return
      }
      const acceptsGzip = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))
      const worthwhile = bytes >= COMPRESSED_FROM_BYTES && bytes <= COMPRESSED_BYTES_MAX && COMPRESSIBLE.has(extension)
      if (acceptsGzip && worthwhile) {
        const body = await bodyOf(file, etag)
        response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': body.length })
        response.end(request.method === 'HEAD' ? undefined : body)
        return
      }
      response.writeHead(200, { 'content-length': bytes })
      if (request.method === 'HEAD') response.end()
      else
        createReadStream(file)
          .on('error', () => response.destroy())
          .pipe(response)
    },
  }
}
