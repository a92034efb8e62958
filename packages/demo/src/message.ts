import type { Exchange } from './exchange.ts'

/** The subprotocol of the chat: each message is a text message with one JSON object. */
export const subprotocol = 'chat.v1'

/** A message that someone sent to a room. */
export interface Said {
  readonly type: 'said'
  readonly id: string
  readonly nickname: string
  readonly text: string
  /** Milliseconds since 1970. */
  readonly at: number
}

/** What the server sends. */
export type ServerMessage =
  | Said
  /** The first message of each connection. */
  | {
      readonly type: 'welcome'
      readonly room: string
      readonly nickname: string
      readonly people: readonly string[]
      readonly history: readonly Said[]
      readonly handshake: Exchange
    }
  /** Who is in the room now. */
  | { readonly type: 'people'; readonly people: readonly string[] }
  /** The rooms that are open, and how many people are in each. */
  | { readonly type: 'rooms'; readonly rooms: readonly { readonly name: string; readonly people: number }[] }
  /** A message was refused; `text` goes back to whoever wrote it. */
  | { readonly type: 'refused'; readonly reason: string; readonly text: string }

/** A text of this length fits into `maxPayloadBytes` even if JSON escapes every character, with six bytes each. */
export const maxTextLength = 600

/** Largest message that a client may send, in bytes. */
export const maxPayloadBytes = 4_096

/**
 * The text of `{ "type": "say", "text": "…" }`.
 * @returns undefined for anything else
 */
export function readSay(data: string): string | undefined {
  let message: unknown
  try {
    message = JSON.parse(data)
  } catch {
    return undefined
  }
  if (typeof message !== 'object' || message === null) return undefined
  const { type, text } = message as { type?: unknown; text?: unknown }
  return type === 'say' && typeof text === 'string' ? text : undefined
}
