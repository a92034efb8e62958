import { isToken, listMembers } from '../http-fields.ts'

/**
 * Parses the subprotocols that a client offers, in the client's order (RFC 6455 §4.1 (10), §4.2.1 (8)).
 * @returns undefined if the list is malformed: empty, not tokens, or with duplicates
 */
export function parseSubprotocols(value: string): string[] | undefined {
  // Most clients offer a single name.
  if (isToken(value)) return [value]
  const offered = listMembers(value)
  const wellFormed = offered.length > 0 && offered.every(isToken) && new Set(offered).size === offered.length
  return wellFormed ? offered : undefined
}

/**
 * Chooses the first of the server's subprotocols that the client offers. Names are case-sensitive. RFC 6455 §4.2.2 (5).
 * @returns undefined if there is no match
 */
export function chooseSubprotocol(supported: readonly string[], offered: readonly string[]): string | undefined {
  return supported.find((name) => offered.includes(name))
}
