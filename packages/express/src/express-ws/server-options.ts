import type { IncomingMessage, ServerResponse } from 'node:http'
import type { EndpointOptions } from '@oneport/core'
import { answerFault } from '@oneport/core/adapter'
import { askVerifyClient, translateServerOptions, type WebSocketServerOptions } from '@oneport/core/ws-compatibility'

/** Options of the `WebSocketServer` of `ws` 7, where `handleProtocols` gets an array. */
export type WsOptions = WebSocketServerOptions<string[]>

const instead = new Map(
  Object.entries({
    WebSocket: 'use listeners on the socket; its class is fixed',
    backlog: 'use app.listen(port, host, backlog)',
    host: 'use app.listen(port, host)',
    noServer: 'use the second argument, expressWs(app, server)',
    path: 'use the path of a route, app.ws(path, …)',
    port: 'use app.listen(port)',
    server: 'use the second argument, expressWs(app, server)'
  })
)

/**
 * Translates options of `ws` into options of an endpoint.
 * @throws TypeError for an option that has no meaning here; the message says what to use instead
 */
export function endpointOptionsOf(wsOptions: WsOptions): EndpointOptions {
  const translated = translateServerOptions(wsOptions, {
    name: 'expressWs: wsOptions',
    instead,
    asOffered: (names) => [...names]
  })
  // By default, `ws` chooses the first one.
  return { ...translated, subprotocols: translated.subprotocols ?? (([first]) => first) }
}

/**
 * Calls `next` if `verifyClient` accepts the client, and otherwise sends its response. If `verifyClient` throws or
 * rejects, or its response can't be sent, refuses with 500.
 */
export async function verify(
  verifyClient: WsOptions['verifyClient'],
  req: IncomingMessage,
  res: ServerResponse,
  next: () => void
): Promise<void> {
  try {
    const refusal = verifyClient ? await askVerifyClient(verifyClient, req) : undefined
    if (refusal === undefined) next()
    else {
      const { status, message, headers } = refusal
      res.writeHead(status, { 'Content-Type': 'text/plain', ...headers }).end(message)
    }
  } catch (error) {
    answerFault(req, res, error)
  }
}
