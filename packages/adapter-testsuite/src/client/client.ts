import type { RawResponse } from '../parts/raw-client.ts'
import type { Conversation } from '../parts/ws-client.ts'

/** A client for any version of HTTP. */
export interface Client {
  readonly version: 'HTTP/1.1' | 'HTTP/2'
  /** The status of an accepted handshake. */
  readonly accepted: number
  /** Sends a handshake, with frames that do not wait for the answer. */
  send(path: string, fields?: SentFields, frames?: Buffer): Promise<Exchange>
  connect(path: string): Promise<Conversation>
  get(path: string): Promise<Answer>
  /** Ends everything it has opened, without a closing handshake. */
  close(): void
}

/** Header fields of a handshake. Undefined leaves a field out; an array sends it once per value. */
export type SentFields = Record<string, string | string[] | undefined>

export type Head = Pick<RawResponse, 'status' | 'fields'>

export interface Answer extends Head {
  readonly body: string
}

/** A handshake that was sent, and its answer. */
export interface Exchange {
  head(): Promise<Head>
  /**
   * What follows the head, in latin1: frames or a body. Waits until `enough` accepts what has arrived, or the server
   * ends the exchange.
   */
  rest(enough?: (text: string) => boolean): Promise<string>
  write(frames: Buffer): void
  /** Ends the exchange with an error. */
  reset(): unknown
  /** Ends the exchange in both directions. */
  leave(): unknown
  /** Ends the direction to the server. */
  halfClose(): unknown
}

/** Sends a handshake and waits for the complete answer. */
export async function answerTo(client: Client, path: string, fields?: SentFields): Promise<Answer> {
  const exchange = await client.send(path, fields)
  return { ...(await exchange.head()), body: await exchange.rest() }
}
