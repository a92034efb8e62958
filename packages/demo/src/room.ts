/** Small letters of any script, marks, digits and emoji. The page writes what people type in this form: `public/room.mjs`. */
const characters =
  '\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}\\p{N}\\p{Extended_Pictographic}\\p{Emoji_Modifier}\\p{Regional_Indicator}'

/**
 * They join emoji, and letters of some scripts. Nobody sees them, so they stay out of ASCII: two rooms would both look like
 * the lobby.
 */
const joiner = `(?<=(?!\\p{ASCII})[${characters}])[\\u200C\\u200D](?=(?!\\p{ASCII})[${characters}])`

/** What a room may be called, for a regular expression with the flag `u`; the name is a part of URLs. */
export const roomPattern = `^(?:[${characters}-]|${joiner}){1,32}$`

/** What the response to another name says. */
export const roomRule = 'A room name has 1 to 32 small letters, digits, emoji and hyphens.'

const isRoomName = new RegExp(roomPattern, 'u')

export const isRoom = (name: string): boolean => isRoomName.test(name)
