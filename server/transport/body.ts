// The body of a GraphQL request: JSON alone (a form of another site cannot send that), read once, bounded each and together.
import type { IncomingMessage } from 'node:http'
import { LookoutError } from '../errors.ts'
import { parseRequest } from '../json/rows.ts'
import type { TransportLimits } from './limits.ts'

export interface Bodies {
  /** Reads one. Errors: BAD_REQUEST, PAYLOAD_TOO_LARGE, OVERLOADED, and what `assertRoom` throws. */
  read(request: IncomingMessage): Promise<Record<string, unknown>>
}

const tooLarge = (bytesMax: number) =>
  new LookoutError('PAYLOAD_TOO_LARGE', `A request holds up to ${bytesMax} bytes; send the rows in several.`)

/** No document with its variables is as large, so a larger body brings rows. */
const ROWS_FROM_BYTES = 64 * 1024
const RETRY_AFTER_MS = 500

/** `assertRoom`: throws where no rows are taken now: a body of rows is not parsed then, which would cost the others. */
export function makeBodies(
  { assertRoom }: { assertRoom: () => void },
  { bodyBytesMax, bodiesBytesMax }: Pick<TransportLimits, 'bodyBytesMax' | 'bodiesBytesMax'>,
): Bodies {
  let heldBytes = 0

  /** Why a body of this size is not taken now, or nothing. */
  function refusalOf(bytes: number): unknown {
    if (bytes < ROWS_FROM_BYTES) return undefined
    try {
      assertRoom()
    } catch (error) {
      return error
    }
    if (heldBytes <= bodiesBytesMax) return undefined
    const message = 'More is being sent than the server can hold; try again later.'
    return new LookoutError('OVERLOADED', message, { retryAfterMs: RETRY_AFTER_MS })
  }

  async function readBytes(request: IncomingMessage): Promise<Buffer> {
    const announced = Number(request.headers['content-length'] ?? 0)
    if (announced > bodyBytesMax) throw tooLarge(bodyBytesMax)
    let refusal = refusalOf(announced)
    let bytes = 0
    let chunks: Buffer[] = []
    let held = 0
    try {
      for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        bytes += chunk.length
        if (bytes > bodyBytesMax) throw tooLarge(bodyBytesMax)
        refusal ??= refusalOf(bytes)
        if (refusal === undefined) {
          chunks.push(chunk)
          held += chunk.length
          heldBytes += chunk.length
        } else {
          // The rest is read and dropped: an answer before its end would be lost to a reset, and the connection with it.
          chunks = []
          heldBytes -= held
          held = 0
        }
      }
    } finally {
      heldBytes -= held
    }
    if (refusal !== undefined) throw refusal
    return Buffer.concat(chunks, bytes)
  }

  return {
    async read(request) {
      assertJson(request)
      const body = readJson(await readBytes(request))
      if (typeof body === 'object' && body !== null && typeof (body as { query?: unknown }).query === 'string') {
        return body as Record<string, unknown>
      }
      const message = 'The body must be a JSON object with the text of the operation as "query".'
      throw new LookoutError('BAD_REQUEST', message)
    },
  }
}

function assertJson(request: IncomingMessage): void {
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
  if (type === 'application/json') return
  throw new LookoutError('BAD_REQUEST', 'Send the operation as JSON, with content-type: application/json.', {
    httpStatus: 415,
  })
}

function readJson(buffer: Buffer): unknown {
  try {
    return parseRequest(buffer)
  } catch (error) {
    throw new LookoutError('BAD_REQUEST', `The body is no JSON: ${(error as Error).message}`)
  }
}
