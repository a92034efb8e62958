import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { finished } from 'node:stream'
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
  if (!isBinary && (!isUtf8(payload) || isMangled(payload, req))) {
    throw new Malformed('the body is not UTF-8; send it as application/octet-stream')
  }
  return { payload, isBinary }
}

function bodyOf(body: unknown): Buffer {
  if (typeof body === 'string') return Buffer.from(body)
  if (Buffer.isBuffer(body)) return body
  throw new Malformed('the body was parsed already; send it as text/plain or application/octet-stream')
}

const replacement = Buffer.from('\ufffd')

/** Whether a parser that makes strings, such as Fastify's, has replaced what is not UTF-8. Then the length has changed. */
function isMangled(payload: Buffer, { headers }: IncomingMessage): boolean {
  const length = headers['content-encoding'] === undefined ? headers['content-length'] : undefined
  return length !== undefined && Number(length) !== payload.length && payload.includes(replacement)
}

/** The connection stays open: whoever destroys a request that it has not read cuts the answer off too. */
function read(req: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = []
    let length = 0
    const take = (chunk: Buffer): void => {
      length += chunk.length
      chunks.push(chunk)
      if (length <= maxBytes) return
      chunks = []
      // The rest is read and dropped.
      req.off('data', take).resume()
      reject(tooLarge(maxBytes))
    }
    if (Number(req.headers['content-length']) > maxBytes) reject(tooLarge(maxBytes))
    else req.on('data', take)
    finished(req, { writable: false }, (error) => {
      if (error) reject(new Malformed('the body ended early'))
      else resolve(Buffer.concat(chunks))
    })
  })
}

const tooLarge = (maxBytes: number): TooLarge => new TooLarge(`The body may have at most ${maxBytes} bytes.`)
