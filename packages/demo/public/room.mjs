// As in src/room.ts, which says why.
const characters =
  '\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}\\p{N}\\p{Extended_Pictographic}\\p{Emoji_Modifier}\\p{Regional_Indicator}'
const joiner = `(?<=(?!\\p{ASCII})[${characters}])[\\u200C\\u200D](?=(?!\\p{ASCII})[${characters}])`

const word = new RegExp(`(?![\\p{M}\\u200C\\u200D])(?:[${characters}]|${joiner})+`, 'gu')

const maxLength = 32

/**
 * What people type, as the name of a room: "Tea Time!" becomes "tea-time". Whatever looks alike to Unicode becomes the same
 * name (NFKC), in any script; the server knows the same characters.
 * @returns {string} empty where nothing is left
 */
export function toRoomName(text) {
  const words = text.normalize('NFKC').toLowerCase().normalize('NFKC').match(word) ?? []
  const [...characters] = words.join('-')
  return characters
    .slice(0, maxLength)
    .join('')
    .replace(/[-\u200C\u200D]+$/, '')
}

/** The path of a room's page; the lobby is where the site begins. */
export const pathOf = (name) => (name === 'lobby' ? '/' : `/r/${encodeURIComponent(name)}`)

/** The room that a path names. */
export function roomAt(path) {
  const [, named = ''] = /^\/r\/([^/]+)$/.exec(path) ?? []
  return toRoomName(decodeURIComponent(named)) || 'lobby'
}
