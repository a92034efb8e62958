import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readAnswer } from '../src/topics/answer.ts'
import { Presence } from '../src/topics/presence.ts'

interface Reading {
  readonly text?: string
  readonly hex?: string
  readonly is?: 'ignored' | 'malformed'
  readonly means?: Readonly<Record<string, unknown>>
}

const file = join(__dirname, '../../topics/conformance.json')
const { answers } = JSON.parse(readFileSync(file, 'utf8')) as { readonly answers: readonly Reading[] }

/** Reads an answer as the client does, with the JSON of presence. */
function read({ text, hex = '' }: Reading): ReturnType<typeof readAnswer> {
  const bytes = Uint8Array.from(Buffer.from(hex, 'hex'))
  const answer = readAnswer(text ?? bytes.buffer)
  const { kind, payload } = answer ?? {}
  if (kind === 'present' || kind === 'joined' || kind === 'left') {
    new Presence().hear(kind, JSON.parse(String(payload)))
  }
  return answer
}

test.each(answers.map((answer) => [answer.text ?? answer.hex, answer] as const))('%j', (_given, reading) => {
  const { is, means, hex } = reading
  if (is === 'malformed') {
    expect(() => read(reading)).toThrow(SyntaxError)
    return
  }
  const answer = read(reading)
  if (is === 'ignored') {
    expect(answer).toBeUndefined()
    return
  }
  const { kind, topic = '', epoch, offset, beginning, id, code, request, payload, payloadHex } = means ?? {}
  const fields = [kind === 'published' ? id : undefined, code, request, epoch, offset, beginning]
  if (kind === 'error') fields.push(id)
  // In the cases, `null` stands for `-`.
  expect(answer).toMatchObject({
    kind,
    topic,
    fields: fields.filter((field) => field !== undefined).map((field) => String(field ?? '-'))
  })
  if (payload !== undefined) expect(answer?.payload).toBe(payload)
  if (hex !== undefined) expect(Buffer.from(answer?.payload as Uint8Array).toString('hex')).toBe(payloadHex)
})

test('an ID or an epoch has at most 64 characters', () => {
  expect(readAnswer(`published ${'a'.repeat(64)} 1`)).toMatchObject({ kind: 'published' })
  expect(() => readAnswer(`published ${'a'.repeat(65)} 1`)).toThrow(SyntaxError)
  expect(() => readAnswer(`gap ${'a'.repeat(65)} 1 news`)).toThrow(SyntaxError)
})
