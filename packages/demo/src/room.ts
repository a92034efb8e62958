/** Small letters of any script, marks, digits and emoji. The page brings names into this form: `public/room.mjs`. */
const characters =
  '\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}\\p{N}\\p{Extended_Pictographic}\\p{Emoji_Modifier}\\p{Regional_Indicator}'

/**
 * Joiners between emoji, and between letters of some scripts. They are invisible, so they are not allowed in ASCII: otherwise
 * two different rooms could look like the lobby.
 */
const joiner = `(?<=(?!\\p{ASCII})[${characters}])[\\u200C\\u200D](?=(?!\\p{ASCII})[${characters}])`

/** A regular expression for room names, with the flag `u`. */
export const roomPattern = `^(?:[${characters}-]|${joiner}){1,32}$`

/** The message for any other name. */
export const roomRule = 'A room name has 1 to 32 small letters, digits, emoji and hyphens.'

const isRoomName = new RegExp(roomPattern, 'u')

export const isRoom = (name: string): boolean => isRoomName.test(name)
