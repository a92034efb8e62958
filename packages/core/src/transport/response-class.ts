import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { declareParts, responseClassOf, writeToRawSocket } from '../node.ts'
import { buildHead } from './http1-head.ts'
import { watchHeadersSent } from './shield.ts'

/** Creates the response to a handshake. */
export type MakeResponse = (req: IncomingMessage) => ServerResponse

/** Creates responses of the class that was passed to `createServer`, as for ordinary requests. */
export function responsesOf(server: Server): MakeResponse {
  let Response: typeof ServerResponse | undefined
  return (req) => {
    // Not earlier: a node:http2 server with `allowHTTP1` gets its class with its first connection.
    Response ??= responseClassOf(server)
    const res = new Response(req)
    declareParts(res, buildHead)
    watchHeadersSent(res)
    return writeToRawSocket(res)
  }
}
