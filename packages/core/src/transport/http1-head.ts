import type { ClientRequest, ServerResponse } from 'node:http'
import { type Handshake, handshakeOf } from '../handshake.ts'
import { fieldsOf, removeOwnedFields, setFields } from '../http-fields.ts'
import { canBuildHeads, headBuilder } from '../node.ts'

/**
 * Builds the head of a 101 in one piece: the head of the handshake, and the header fields that the response has by then.
 * Node would check the fields of the handshake again, and put the head together from many pieces.
 */
export const buildHead = headBuilder((res, statusLine, given) => {
  const head = handshakeOf(res.req)?.head
  if (head === undefined || !statusLine.startsWith('HTTP/1.1 101 ')) return undefined
  // Passed by the `writeHead` of a class that is derived from Node's.
  if (given !== undefined && res.getHeaderNames().length === 0) setFields(res, given)
  return headWithFields(head, res)
})

/** Makes the next `writeHead(101)` of a response send the head of its handshake. */
export function presetHead({ response, head = '' }: Handshake): void {
  if (canBuildHeads) return
  removeOwnedFields(response)
  setHandshakeFields(response, head)
}

/** The header fields of the response come first, then those of the handshake, as if they were set last. */
function headWithFields(head: string, res: ServerResponse): string {
  removeOwnedFields(res)
  const names = namesOf(res)
  const date = res.sendDate && !res.hasHeader('Date') ? dateLine() : ''
  if (names.length === 0) return `${head.slice(0, -2)}${date}\r\n`
  let lines = ''
  for (const name of names) {
    const value = res.getHeader(name)
    if (Array.isArray(value)) for (const one of value) lines += `${name}: ${one}\r\n`
    else lines += `${name}: ${value}\r\n`
  }
  setHandshakeFields(res, head)
  const start = head.indexOf('\r\n') + 2
  return `${head.slice(0, start)}${lines}${head.slice(start, -2)}${date}\r\n`
}

/** For loggers that read the header fields of a response. */
function setHandshakeFields(res: ServerResponse, head: string): void {
  const fields = fieldsOf(head)
  for (let index = 0; index < fields.length; index += 2) {
    res.setHeader(fields[index] as string, fields[index + 1] as string)
  }
}

/** The names of a response's header fields, as they were set. Its type lacks this method, which all messages have. */
const namesOf = (res: ServerResponse & Partial<Pick<ClientRequest, 'getRawHeaderNames'>>): string[] =>
  res.getRawHeaderNames?.() ?? []

let second = 0
let line = ''

/** The field `Date` (RFC 9110 §6.6.1), formatted once per second, as in Node. */
function dateLine(): string {
  const now = Math.trunc(Date.now() / 1_000)
  if (now !== second) {
    second = now
    line = `Date: ${new Date(now * 1_000).toUTCString()}\r\n`
  }
  return line
}
