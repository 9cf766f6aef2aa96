// The body of a GraphQL request: JSON alone (a form of another site cannot send that), bounded, read once.
import type { IncomingMessage } from 'node:http'
import { LookoutError } from '../errors.ts'

const tooLarge = (bytesMax: number) =>
  new LookoutError('PAYLOAD_TOO_LARGE', `A request holds up to ${bytesMax} bytes; send the rows in several.`)

/** Reads it. Errors: BAD_REQUEST, PAYLOAD_TOO_LARGE. */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<Record<string, unknown>> {
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== 'application/json') {
    throw new LookoutError('BAD_REQUEST', 'Send the operation as JSON, with content-type: application/json.', {
      httpStatus: 415,
    })
  }
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) throw tooLarge(bytesMax)
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bytesMax) throw tooLarge(bytesMax)
    chunks.push(chunk)
  }
  const body = readJson(Buffer.concat(chunks, bytes))
  if (typeof body !== 'object' || body === null || typeof (body as { query?: unknown }).query !== 'string') {
    throw new LookoutError('BAD_REQUEST', 'The body must be a JSON object with the text of the operation as "query".')
  }
  return body as Record<string, unknown>
}

function readJson(buffer: Buffer): unknown {
  try {
    return JSON.parse(buffer.toString('utf8'))
  } catch (error) {
    throw new LookoutError('BAD_REQUEST', `The body is no JSON: ${(error as Error).message}`)
  }
}
