import { type Server, ServerResponse } from 'node:http'

/** What makes the responses of a server. */
export type ResponseClass = typeof ServerResponse

/**
 * The class of responses that `createServer` was given. Node keeps it under a symbol, and has no other place where it can
 * be found before there is a response.
 */
export function responseClassOf(server: Server): ResponseClass {
  const symbol = Object.getOwnPropertySymbols(server).find(({ description }) => description === 'ServerResponse')
  const found = symbol === undefined ? undefined : (server as unknown as Record<symbol, unknown>)[symbol]
  return typeof found === 'function' ? (found as ResponseClass) : ServerResponse
}
