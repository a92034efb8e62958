import { isToken, listMembers } from '../http-fields.ts'

/**
 * The subprotocols that a client offers, in its order (RFC 6455 §4.1 (10), §4.2.1 (8)).
 * @returns undefined where the list is malformed: empty, not tokens, or a name twice
 */
export function parseSubprotocols(value: string): string[] | undefined {
  // Most clients offer one name, which is no list.
  if (isToken(value)) return [value]
  const offered = listMembers(value)
  const wellFormed = offered.length > 0 && offered.every(isToken) && new Set(offered).size === offered.length
  return wellFormed ? offered : undefined
}

/**
 * The first of the server's subprotocols that the client offered, compared exactly (RFC 6455 §4.2.2 (5)).
 * @returns undefined where they have none in common
 */
export function chooseSubprotocol(supported: readonly string[], offered: readonly string[]): string | undefined {
  return supported.find((name) => offered.includes(name))
}
