import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { Malformed } from '../serve/requests.ts'

/** A body that exceeds the limit. */
export class TooLarge extends Error {}

/**
 * Reads the body of a request, or takes what middleware has read, if that is a string or a Buffer. A body of the type `application/octet-stream` is binary, and any other is text.
 * @throws TooLarge
 * @throws Malformed for text that is not UTF-8, and if middleware has made something else of the body
 */
export async function readBody(
  req: IncomingMessage & { readonly body?: unknown },
  body: unknown,
  maxBytes: number
): Promise<{ payload: Buffer; isBinary: boolean }> {
  const isBinary = /^application\/octet-stream\b/i.test(req.headers['content-type'] ?? '')
  const payload = req.readableEnded ? bodyOf(body ?? req.body) : await read(req, maxBytes)
  if (payload.length > maxBytes) throw tooLarge(maxBytes)
  if (!isBinary && !isUtf8(payload)) throw new Malformed('the body is not UTF-8; send it as application/octet-stream')
  return { payload, isBinary }
}

function bodyOf(body: unknown): Buffer {
  if (typeof body === 'string') return Buffer.from(body)
  if (Buffer.isBuffer(body)) return body
  throw new Malformed('the body was parsed already; send it as text/plain or application/octet-stream')
}

async function read(req: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (Number(req.headers['content-length']) > maxBytes) throw tooLarge(maxBytes)
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of req as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > maxBytes) throw tooLarge(maxBytes)
      chunks.push(chunk)
    }
  } catch (error) {
    // The client has left.
    throw error instanceof TooLarge ? error : new Malformed('the body ended early')
  }
  return Buffer.concat(chunks)
}

const tooLarge = (maxBytes: number): TooLarge => new TooLarge(`The body may have at most ${maxBytes} bytes.`)
