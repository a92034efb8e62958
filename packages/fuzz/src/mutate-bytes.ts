import type { Random } from '@oneport/kit'

type Mutation = (text: string, random: Random) => string

const replaceOne = (text: string, random: Random, search: string, replacement: string): string => {
  const parts = text.split(search)
  if (parts.length === 1) return text
  const index = random.between(1, parts.length - 1)
  return parts.slice(0, index).join(search) + replacement + parts.slice(index).join(search)
}

const insert = (text: string, random: Random, what: string): string => {
  const at = random.below(text.length + 1)
  return text.slice(0, at) + what + text.slice(at)
}

const mutations: readonly Mutation[] = [
  (text, random) => text.slice(0, random.below(text.length + 1)),
  (text, random) => {
    const at = random.below(text.length + 1)
    return text.slice(0, at) + text.slice(at + random.between(1, 16))
  },
  (text, random) => {
    const at = random.below(text.length + 1)
    return insert(text, random, text.slice(at, at + random.between(1, 64)))
  },
  (text, random) => {
    const at = random.below(text.length)
    const flipped = String.fromCharCode(text.charCodeAt(at) ^ (1 << random.below(8)))
    return text === '' ? text : text.slice(0, at) + flipped + text.slice(at + 1)
  },
  (text, random) => insert(text, random, random.bytes(random.between(1, 8))),
  (text, random) => insert(text, random, random.pick(['\0', '\r', '\n', '\r\n', '\r\n\r\n', ' ', ':', '\x80', '\xff'])),
  (text, random) => replaceOne(text, random, '\r\n', random.pick(['\n', '\r', '\r\r\n', '\n\r', '\r\n ', ''])),
  (text, random) => text.replaceAll('\r\n', random.pick(['\n', '\r'])),
  (text, random) =>
    random.pick(['\r\n', '\n', '\r\n\r\n', ' ', '\0', '\x16\x03\x01\x02\x00\x01', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n']) +
    text
]

/** Changes the bytes of requests in one way, regardless of their meaning. */
export const mutateBytes = (text: string, random: Random): string => random.pick(mutations)(text, random)
