/** Creates an element. Text is inserted as text, never as markup, so nothing needs escaping. */
export function element(name, className, ...children) {
  const made = document.createElement(name)
  if (className) made.className = className
  made.append(...children)
  return made
}

/** A name that nobody else has. `crypto.randomUUID()` is missing in pages that were not loaded over HTTPS. */
export const randomName = (bytes = 16) =>
  Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('')

export const byId = (id) => document.getElementById(id)

/** Shows the first letter of a name, in a color that depends only on the name. */
export function paintAvatar(avatar, nickname) {
  const [first = '?'] = nickname
  let hash = 2_166_136_261
  // FNV-1a gives similar names very different colors.
  for (const character of nickname) hash = Math.imul(hash ^ character.codePointAt(0), 16_777_619)
  avatar.textContent = first.toUpperCase()
  avatar.style.setProperty('--hue', (hash >>> 0) % 360)
  return avatar
}

/** Has screen readers say something, without moving the focus. */
export function announce(text) {
  byId('announcer').textContent = text
}
