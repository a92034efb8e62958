/**
 * Named close codes (RFC 6455 §7.4.1 and the IANA registry of WebSocket close codes).
 *
 * Codes that may never be put on the wire (1005, 1006, 1015) are here too: a `close` listener sees them.
 * Applications choose their own from 4000 to 4999.
 */
export const CloseCode = {
  /** The purpose of the connection is fulfilled. */
  NORMAL: 1000,
  /** The server goes down, or the page is left. */
  GOING_AWAY: 1001,
  /** The peer broke the protocol. */
  PROTOCOL_ERROR: 1002,
  /** A message of a type that cannot be accepted, for example binary where text is expected. */
  UNSUPPORTED_DATA: 1003,
  /** Never sent: the close frame had no code. */
  NO_STATUS: 1005,
  /** Never sent: the connection ended without a close frame. */
  ABNORMAL: 1006,
  /** Text that is not UTF-8. */
  INVALID_PAYLOAD: 1007,
  /** A message against a rule of the application, when no other code fits. */
  POLICY_VIOLATION: 1008,
  /** A message larger than `maxPayloadBytes`. */
  MESSAGE_TOO_BIG: 1009,
  /** The client needs an extension that the server did not negotiate. */
  MANDATORY_EXTENSION: 1010,
  /** A fault in the server: a handler or listener threw or rejected. */
  INTERNAL_ERROR: 1011,
  /** The server restarts; connect again after a short random time. */
  SERVICE_RESTART: 1012,
  /** The server is overloaded; connect again later. */
  TRY_AGAIN_LATER: 1013,
  /** A gateway got an invalid answer from the server behind it. */
  BAD_GATEWAY: 1014,
  /** Never sent: the TLS handshake failed. */
  TLS_HANDSHAKE: 1015
} as const

/** A code that {@link CloseCode} names. */
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode]
