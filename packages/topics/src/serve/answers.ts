/** What a server sends in the protocol `oneport.topics.1`; see docs/topics-protocol.md. */

/** Why a request was refused. */
export type ErrorCode = 'forbidden' | 'limit' | 'busy' | 'failed'

/** How a subscription begins: with nothing before it, with all that was missed, or with messages missing. */
export type Beginning = 'new' | 'resumed' | 'gap'

/** The header line of a message, in front of its payload. */
export const messageLead = (topic: string, offset: number | undefined): string => `message ${offset ?? '-'} ${topic}\n`

/** The messages after `offset` follow. A topic without history has neither epoch nor offsets. */
export const subscribed = (
  epoch: string | undefined,
  offset: number | undefined,
  beginning: Beginning,
  topic: string
): string => `subscribed ${epoch ?? '-'} ${offset ?? '-'} ${beginning} ${topic}`

export const unsubscribed = (topic: string): string => `unsubscribed ${topic}`

/** Messages up to this offset are missing. */
export const gap = (epoch: string, offset: number, topic: string): string => `gap ${epoch} ${offset} ${topic}`

export const published = (id: string, offset: number | undefined): string => `published ${id} ${offset ?? '-'}`

export const pong = 'pong'

/** @param id the id of a refused publish */
export const refused = (
  code: ErrorCode,
  request: 'subscribe' | 'publish' | 'presence',
  topic: string,
  id = '-'
): string => `error ${code} ${request} ${id} ${topic}`

/** @param members who is present, each as JSON */
export const present = (topic: string, members: readonly string[]): string => `present ${topic}\n[${members.join()}]`

/** @param member who has joined or left, as JSON */
export const moved = (kind: 'joined' | 'left', topic: string, member: string): string => `${kind} ${topic}\n${member}`
