/**
 * Names for close codes (RFC 6455 §7.4.1 and the IANA registry of WebSocket close codes).
 *
 * Includes the codes that are never sent (1005, 1006, 1015), because `close` listeners get them. For codes of your own,
 * use 4000 to 4999.
 */
export const CloseCode = {
  /** The connection is no longer needed. */
  NORMAL: 1000,
  /** The server is shutting down, or the user has left the page. */
  GOING_AWAY: 1001,
  /** The peer broke the protocol. */
  PROTOCOL_ERROR: 1002,
  /** A message has the wrong type, for example binary when text is expected. */
  UNSUPPORTED_DATA: 1003,
  /** Never sent: the close frame had no code. */
  NO_STATUS: 1005,
  /** Never sent: the connection ended without a close frame. */
  ABNORMAL: 1006,
  /** Text that is not UTF-8. */
  INVALID_PAYLOAD: 1007,
  /** A message breaks a rule of the application, and no other code fits. */
  POLICY_VIOLATION: 1008,
  /** A message is larger than `maxPayloadBytes`. */
  MESSAGE_TOO_BIG: 1009,
  /** The client needs an extension that the server did not negotiate. */
  MANDATORY_EXTENSION: 1010,
  /** A fault in the server: a handler or listener threw or rejected. */
  INTERNAL_ERROR: 1011,
  /** The server is restarting; connect again after a short random delay. */
  SERVICE_RESTART: 1012,
  /** The server is overloaded; connect again later. */
  TRY_AGAIN_LATER: 1013,
  /** A gateway got an invalid response from the server behind it. */
  BAD_GATEWAY: 1014,
  /** Never sent: the TLS handshake failed. */
  TLS_HANDSHAKE: 1015
} as const

/** One of the close codes in {@link CloseCode}. */
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode]
