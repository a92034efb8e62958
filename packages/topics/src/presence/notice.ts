import { isUtf8 } from 'node:buffer'
import { longestId, longestMember } from './member.ts'

/**
 * What nodes tell each other about who is present in a topic. `version` numbers the state of the node that speaks: it
 * grows with each change, and is 0 if nobody is present there. On the wire:
 *
 *     ask 0 * 0                       all nodes, for everything
 *     ask 7 * -                       all nodes, for their versions; the one that asks has version 7 itself
 *     ask 7 93b1c5f0a2d4e688 12       one node, for everything unless its version is 12
 *     here 15                         the version
 *     joined 12 15⏎{"id":"ada"}       a change, from one version to another
 *     left 15 0⏎{"id":"ada"}
 *     all 15 0 more⏎{…}⏎{…}           everything, in parts
 *     all 15 1 last⏎{…}
 */
export type Notice =
  | Ask
  | { readonly kind: 'here'; readonly version: number }
  | {
      readonly kind: 'joined' | 'left'
      /** The version before this change. */
      readonly from: number
      readonly version: number
      readonly member: Named
    }
  | All

/** Asks who is present. Without a `node` it asks all of them. */
export interface Ask {
  readonly kind: 'ask'
  readonly version: number
  readonly node: string | undefined
  /** A node of another version answers with everything. If undefined, it answers with its version in any case. */
  readonly known: number | undefined
}

/** A part of everything, which is sent in parts of limited size. */
export interface All {
  readonly kind: 'all'
  readonly version: number
  readonly part: number
  readonly isLast: boolean
  readonly members: readonly Named[]
}

/** A member as others see it. */
export interface Named {
  readonly id: string
  readonly json: string
}

/** Bytes of members after which another part begins. PostgreSQL then needs no table for it. */
const partBytes = 4_096

/** No node writes more: a line of the longest member is UTF-8, with at most three bytes for a character. */
export const mostBytes = 64 + Math.max(partBytes, 3 * longestMember)

const everybody = '*'
const nothing = '-'
const lineFeed = 0x0a
const mostDigits = 15

const write = (words: readonly (string | number)[], members: readonly string[] = []): Buffer =>
  Buffer.from([words.join(' '), ...members].join('\n'))

export const ask = (version: number, node: string | undefined, known: number | undefined): Buffer =>
  write(['ask', version, node ?? everybody, known ?? nothing])

export const here = (version: number): Buffer => write(['here', version])

/** @param member as JSON */
export const moved = (kind: 'joined' | 'left', from: number, version: number, member: string): Buffer =>
  write([kind, from, version], [member])

/** @param members each as JSON; at least one */
export function all(version: number, members: Iterable<string>): Buffer[] {
  const parts: string[][] = [[]]
  let bytes = 0
  for (const member of members) {
    const length = Buffer.byteLength(member) + 1
    if (bytes > 0 && bytes + length > partBytes) {
      parts.push([])
      bytes = 0
    }
    parts.at(-1)?.push(member)
    bytes += length
  }
  const last = parts.length - 1
  return parts.map((lines, part) => write(['all', version, part, part === last ? 'last' : 'more'], lines))
}

/**
 * Reads a notice. Never throws.
 * @returns undefined for what no node of this version has written
 */
export function readNotice(bytes: Buffer): Notice | undefined {
  if (bytes.length > mostBytes || !isUtf8(bytes)) return undefined
  const [first = '', ...lines] = linesOf(bytes)
  const [kind, ...words] = first.split(' ')
  const numbers = words.map(readNumber)
  const [one, two] = numbers
  const members = lines.map(readMember)
  if (one === undefined || !members.every((member) => member !== undefined)) return undefined
  const [member] = members
  switch (kind) {
    case 'ask':
      return words.length === 3 && lines.length === 0 ? readAsk(one, words[1], words[2], numbers[2]) : undefined
    case 'here':
      return words.length === 1 && lines.length === 0 ? { kind, version: one } : undefined
    case 'joined':
    case 'left':
      if (words.length !== 2 || two === undefined || member === undefined || lines.length !== 1) return undefined
      return kind === 'joined' && two === 0 ? undefined : { kind, from: one, version: two, member }
    case 'all':
      if (words.length !== 3 || one === 0 || two === undefined || member === undefined) return undefined
      if (words[2] !== 'more' && words[2] !== 'last') return undefined
      return { kind, version: one, part: two, isLast: words[2] === 'last', members }
    default:
      return undefined
  }
}

function readAsk(version: number, node = '', word: string | undefined, known: number | undefined): Ask | undefined {
  if (node === '' || (word !== nothing && known === undefined)) return undefined
  return { kind: 'ask', version, node: node === everybody ? undefined : node, known }
}

/** Each with memory of its own: a part of a longer string would keep that in memory. */
function linesOf(bytes: Buffer): string[] {
  const lines: string[] = []
  for (let start = 0; start <= bytes.length; ) {
    const end = bytes.indexOf(lineFeed, start)
    const stop = end === -1 ? bytes.length : end
    lines.push(bytes.toString('utf8', start, stop))
    start = stop + 1
  }
  return lines
}

function readNumber(word: string): number | undefined {
  return word.length <= mostDigits && /^\d+$/.test(word) ? Number(word) : undefined
}

function readMember(line: string): Named | undefined {
  if (line.length > longestMember) return undefined
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value !== 'object' || value === null) return undefined
    const { id, info } = value as { id?: unknown; info?: unknown }
    if (typeof id !== 'string' || id === '' || id.length > longestId) return undefined
    const json = JSON.stringify({ id, info })
    return json.length > longestMember ? undefined : { id, json }
  } catch {
    // It is no JSON, or nested too deeply.
    return undefined
  }
}
