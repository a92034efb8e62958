import type { IncomingMessage, ServerResponse } from 'node:http'
import type { EndpointOptions } from '@oneport/core'
import { answerFault } from '@oneport/core/adapter'
import { askVerifyClient, translateServerOptions, type WebSocketServerOptions } from '@oneport/core/ws-compatibility'

/** Options of the `WebSocketServer` of `ws` 7, where `handleProtocols` gets a list. */
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
 * The options of an endpoint that stand for options of `ws`.
 * @throws TypeError for an option that has no meaning here; the message says what to use instead
 */
export function endpointOptionsOf(wsOptions: WsOptions): EndpointOptions {
  const translated = translateServerOptions(wsOptions, {
    name: 'expressWs: wsOptions',
    instead,
    asOffered: (names) => [...names]
  })
  // The first one is what `ws` takes by default.
  return { ...translated, subprotocols: translated.subprotocols ?? (([first]) => first) }
}

/**
 * Asks `verifyClient`; calls `next` where it lets the client in, and answers in its place where it does not. What it
 * throws, rejects with, or answers that cannot be sent, refuses with 500.
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
