/** All options by what they concern. The files that declare them check that none is missing here. */

export const serverNames = {
  allowedHosts: true,
  heartbeat: true,
  handshakeTimeoutMs: true,
  maxPendingHandshakes: true,
  maxPendingHandshakesPerAddress: true,
  maxConnections: true,
  maxConnectionsPerAddress: true,
  claims: true,
  bearerSubprotocol: true,
  onError: true,
  onRefused: true,
  onClosed: true,
  effectiveRequest: true
}

export const endpointNames = {
  allowedOrigins: true,
  requireOrigin: true,
  subprotocols: true,
  requireSubprotocol: true,
  maxPayloadBytes: true,
  maxBufferedBytes: true,
  perMessageDeflate: true,
  closeTimeoutMs: true,
  coalesce: true,
  messageBudget: true,
  ws: true
}

export const credentialNames = { expiresAt: true, expiryCode: true, key: true }

/** Options of `ws` that this project sets itself, and what to use in their place. */
export const ownedWsNames = {
  WebSocket: 'no other class; listeners on the socket',
  backlog: 'server.listen()',
  clientTracking: 'attachment.connections',
  closeTimeout: 'closeTimeoutMs',
  handleProtocols: 'subprotocols',
  host: 'server.listen()',
  maxPayload: 'maxPayloadBytes',
  noServer: 'attach()',
  path: 'a route of your framework',
  perMessageDeflate: 'perMessageDeflate beside ws',
  port: 'server.listen()',
  server: 'attach()',
  verifyClient: 'middleware, a hook, or allowedOrigins'
}

/** Options of `ws` that are passed on. */
const passedWsNames = ['allowSynchronousEvents', 'autoPong', 'maxBufferedChunks', 'maxFragments', 'skipUTF8Validation']

/** Where an option belongs that somebody has set in the wrong place; undefined for one that there is not. */
export function whereItBelongs(name: string): string | undefined {
  if (Object.hasOwn(serverNames, name)) {
    return 'it is for the server as a whole; set it in wsUpgrade(), wsPlugin or attach()'
  }
  if (Object.hasOwn(credentialNames, name)) return 'it is for one connection; set it in acceptWebSocket()'
  if (Object.hasOwn(ownedWsNames, name)) return `use ${ownedWsNames[name as keyof typeof ownedWsNames]}`
  return passedWsNames.includes(name) ? `did you mean ws: { ${name} }?` : undefined
}
