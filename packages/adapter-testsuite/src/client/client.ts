import type { RawResponse } from '../parts/raw-client.ts'
import type { Conversation } from '../parts/ws-client.ts'

/** What is the same for clients of every version of HTTP. */
export interface Client {
  readonly version: 'HTTP/1.1' | 'HTTP/2'
  /** The status that accepts a handshake. */
  readonly accepted: number
  /** Sends a handshake, and frames that do not wait for its answer. */
  send(path: string, fields?: SentFields, frames?: Buffer): Promise<Exchange>
  /** Opens a WebSocket. */
  connect(path: string): Promise<Conversation>
  /** Sends an ordinary GET. */
  get(path: string): Promise<Answer>
  /** Ends everything that was opened, without a closing handshake. */
  close(): void
}

/** Header fields of a handshake. One given as undefined is left out, one given as a list stands that often. */
export type SentFields = Record<string, string | string[] | undefined>

/** Status and fields of a response. */
export type Head = Pick<RawResponse, 'status' | 'fields'>

/** A response with its body. */
export interface Answer extends Head {
  readonly body: string
}

/** A handshake that was sent, and what comes back. */
export interface Exchange {
  head(): Promise<Head>
  /**
   * What comes behind the head, in latin1: frames or a body. It waits until `enough` says so of all that has come, or
   * the server ends it.
   */
  rest(enough?: (text: string) => boolean): Promise<string>
  write(frames: Buffer): void
  /** Ends it with an error. */
  reset(): unknown
  /** Ends it in both directions. */
  leave(): unknown
  /** Ends the direction to the server. */
  halfClose(): unknown
}

/** Sends a handshake and waits for the whole answer. */
export async function answerTo(client: Client, path: string, fields?: SentFields): Promise<Answer> {
  const exchange = await client.send(path, fields)
  return { ...(await exchange.head()), body: await exchange.rest() }
}
