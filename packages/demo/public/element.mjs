/** Makes an element. Text goes in as text, never as markup: that is all there is to escaping. */
export function element(name, className, ...children) {
  const made = document.createElement(name)
  if (className) made.className = className
  made.append(...children)
  return made
}

export const byId = (id) => document.getElementById(id)

/** A round with the first letter of a name, in a colour that the name always has. */
export function paintAvatar(avatar, nickname) {
  const [first = '?'] = nickname
  let hash = 2_166_136_261
  // FNV-1a: names that are nearly alike get colours far apart.
  for (const character of nickname) hash = Math.imul(hash ^ character.codePointAt(0), 16_777_619)
  avatar.textContent = first.toUpperCase()
  avatar.style.setProperty('--hue', (hash >>> 0) % 360)
  return avatar
}

/** Says something to a screen reader without moving the focus. */
export function announce(text) {
  byId('announcer').textContent = text
}
