import type { Random } from '@oneport/kit'
import { type Draft, host } from './draft.ts'
import { targets, values } from './hostile-values.ts'

type Mutation = (draft: Draft, random: Random) => void

const oneField = (draft: Draft, random: Random): number => random.below(draft.fields.length)

function changeOne(draft: Draft, random: Random, change: (name: string, value: string) => [string, string]): void {
  const index = oneField(draft, random)
  const field = draft.fields[index]
  if (field !== undefined) draft.fields[index] = change(...field)
}

const lengths = [100, 1_000, 8_000, 16_300, 16_400, 20_000, 70_000]

/** Node accepts 16 KiB of head and 1000 fields. */
const oversizing: readonly Mutation[] = [
  (draft, random) => changeOne(draft, random, (name, value) => [name, value + 'a, '.repeat(random.pick(lengths) / 3)]),
  (draft, random) => void draft.fields.push(['X-Long', 'a'.repeat(random.pick(lengths))]),
  (draft, random) => {
    const filler = Array.from({ length: random.pick([50, 500, 990, 1_010, 2_100]) }, (): [string, string] => ['a', ''])
    draft.fields = random.chance(0.5) ? [...filler, ...draft.fields] : [...draft.fields, ...filler]
  },
  (draft, random) => {
    draft.target += random.pick(['?', '/', '%20', '?a=']) + 'a'.repeat(random.pick(lengths))
  }
]

const mutations: readonly Mutation[] = [
  // Duplicated: as it is, with another value, or in another case.
  (draft, random) => {
    const [name, value] = draft.fields[oneField(draft, random)] ?? ['Host', host]
    const copy: [string, string] = random.pick([
      [name, value],
      [name.toLowerCase(), value],
      [name, random.pick(values[name] ?? [value])]
    ])
    draft.fields.splice(random.below(draft.fields.length + 1), 0, copy)
  },
  // Left out.
  (draft, random) => void draft.fields.splice(oneField(draft, random), 1),
  // Reordered.
  (draft, random) => {
    draft.fields = random.shuffle(draft.fields)
  },
  // Truncated.
  (draft, random) => changeOne(draft, random, (name, value) => [name, value.slice(0, random.below(value.length + 1))]),
  // Oversized.
  (draft, random) => random.pick(oversizing)(draft, random),
  // In another case.
  (draft, random) =>
    changeOne(draft, random, (name, value) => [random.chance(0.5) ? name.toUpperCase() : name.toLowerCase(), value]),
  // With whitespace, or with characters that look like it.
  (draft, random) => {
    const space = () => random.pick(['', ' ', '\t', '   ', '\x0b', '\xa0', '\r\n ', '\0'])
    changeOne(draft, random, (name, value) => [name, space() + value + space()])
  },
  (draft, random) => {
    const space = random.pick([' ', '\t', '\0', '\r\n', ':', '\x80'])
    changeOne(draft, random, (name, value) => [random.chance(0.5) ? name + space : space + name, value])
  },
  // Another value, for a field that is present or not.
  (draft, random) => {
    const name = random.pick(Object.keys(values))
    const value = random.pick(values[name] ?? [''])
    const index = draft.fields.findIndex(([one]) => one === name)
    if (index === -1) draft.fields.push([name, value])
    else draft.fields[index] = [name, value]
  },
  // Another request line.
  (draft, random) => {
    draft.target = random.pick(targets)
  },
  (draft, random) => {
    draft.method = random.pick([
      'POST',
      'HEAD',
      'OPTIONS',
      'PUT',
      'CONNECT',
      'TRACE',
      'get',
      'GETS',
      'PRI',
      'M-SEARCH',
      '',
      ' GET'
    ])
  },
  (draft, random) => {
    draft.version = random.pick([
      'HTTP/1.0',
      'HTTP/0.9',
      'HTTP/1.2',
      'HTTP/2.0',
      'HTTP/3',
      'http/1.1',
      'HTTP/1.1 ',
      '',
      'HTTP/01.1',
      'RTSP/1.0'
    ])
  },
  // Content, with or without a matching length.
  (draft, random) => {
    draft.body = random.pick(['hello', '5\r\nhello\r\n0\r\n\r\n', '0\r\n\r\n', '\r\n', random.bytes(random.below(64))])
    if (random.chance(0.7)) draft.fields.push(['Content-Length', String(draft.body.length)])
  }
]

/** Changes a request in one way. */
export function mutateRequest(draft: Draft, random: Random): void {
  random.pick(mutations)(draft, random)
}
