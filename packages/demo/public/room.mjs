// The same as in src/room.ts, which explains it.
const characters =
  '\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}\\p{N}\\p{Extended_Pictographic}\\p{Emoji_Modifier}\\p{Regional_Indicator}'
const joiner = `(?<=(?!\\p{ASCII})[${characters}])[\\u200C\\u200D](?=(?!\\p{ASCII})[${characters}])`

const word = new RegExp(`(?![\\p{M}\\u200C\\u200D])(?:[${characters}]|${joiner})+`, 'gu')

const maxLength = 32

/**
 * Turns what people type into the name of a room: "Tea Time!" becomes "tea-time". It works for any script, and what Unicode
 * considers equivalent becomes the same name (NFKC). The server allows the same characters.
 * @returns {string} empty if nothing is left
 */
export function toRoomName(text) {
  const words = text.normalize('NFKC').toLowerCase().normalize('NFKC').match(word) ?? []
  const [...characters] = words.join('-')
  return characters
    .slice(0, maxLength)
    .join('')
    .replace(/[-\u200C\u200D]+$/, '')
}

/** The path of a room's page. The lobby is at the root. */
export const pathOf = (name) => (name === 'lobby' ? '/' : `/r/${encodeURIComponent(name)}`)

/** The room that a path names. */
export function roomAt(path) {
  const [, named = ''] = /^\/r\/([^/]+)$/.exec(path) ?? []
  return toRoomName(decodeURIComponent(named)) || 'lobby'
}
