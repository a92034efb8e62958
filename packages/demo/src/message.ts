/**
 * A message that someone sends to a room, as JSON. The page gives it an ID, so that it is shown once even if it was published
 * twice: a message that was sent, and not answered for a minute, is published again.
 */
export interface Said {
  readonly id: string
  readonly nickname: string
  readonly text: string
  /** When it was written, by the clock of whoever wrote it, in milliseconds since 1970. */
  readonly at: number
}

export const maxTextLength = 600

/** A message of this length fits even if JSON escapes every character of its text, with six bytes each. */
export const maxPayloadBytes = 8_192

/** The longest time from 1970 that a `Date` can have, in milliseconds. */
const maxTime = 8.64e15

/** Whether it is a message of the chat, and says that it is from this person. */
export function isSaidBy(nickname: string, data: string | Buffer): boolean {
  if (typeof data !== 'string') return false
  try {
    const said = JSON.parse(data) as Partial<Said> | null
    return typeof said === 'object' && said !== null && said.nickname === nickname && isSaid(said)
  } catch {
    return false
  }
}

function isSaid({ id, text, at, ...others }: Partial<Said>): boolean {
  return (
    Object.keys(others).join() === 'nickname' &&
    typeof id === 'string' &&
    /^\w{1,64}$/.test(id) &&
    typeof text === 'string' &&
    text.trim() !== '' &&
    text.length <= maxTextLength &&
    Number.isInteger(at) &&
    Math.abs(at as number) <= maxTime
  )
}
