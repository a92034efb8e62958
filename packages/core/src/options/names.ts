/** The names of all options. The files that declare the options check that none is missing here. */

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

const needsNoServer = 'attach(server); wsUpgrade() and wsPlugin find the server themselves'

/** Options of `ws` that Oneport sets itself, each with what to use instead. */
export const ownedWsNames = {
  WebSocket: 'listeners on the socket instead of another class',
  backlog: 'server.listen()',
  clientTracking: 'the connections of what attach() or wsUpgrade() returns, or of app.websockets',
  closeTimeout: 'closeTimeoutMs',
  handleProtocols: 'subprotocols',
  host: 'server.listen()',
  maxPayload: 'maxPayloadBytes',
  noServer: needsNoServer,
  path: 'a route of your framework',
  perMessageDeflate: 'perMessageDeflate beside ws',
  port: 'server.listen()',
  server: needsNoServer,
  verifyClient: 'middleware, a hook, or allowedOrigins'
}

/** Options that are passed to `ws`. */
export const passedWsNames = {
  allowSynchronousEvents: true,
  autoPong: true,
  maxBufferedChunks: true,
  maxFragments: true,
  maxPendingAutoPongs: true,
  skipUTF8Validation: true
}

/** Where an option that was set in the wrong place belongs; undefined if there is no such option. */
export function whereItBelongs(name: string): string | undefined {
  if (Object.hasOwn(serverNames, name)) {
    return 'it applies to the whole server; set it in wsUpgrade(), wsPlugin or attach()'
  }
  if (Object.hasOwn(credentialNames, name)) return 'it applies to one connection; set it in acceptWebSocket()'
  if (Object.hasOwn(ownedWsNames, name)) return `use ${ownedWsNames[name as keyof typeof ownedWsNames]}`
  return Object.hasOwn(passedWsNames, name) ? `did you mean ws: { ${name} }?` : undefined
}
