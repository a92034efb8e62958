import type { ClientRequest, ServerResponse } from 'node:http'
import { fieldsOf, removeOwnedFields, setFields } from '../http-fields.ts'
import { build101 } from '../node.ts'

/**
 * Makes the next `writeHead` of a response send the head of the handshake, with the header fields that the response has
 * by then. It is put together in one piece: having Node set and check the fields of the handshake one by one took
 * longer than everything else in the answer.
 * @param head a 101 with the header fields of the handshake
 */
export function presetHead(res: ServerResponse, head: string): void {
  const isPreset = build101(res, (given) => {
    // Passed by the `writeHead` of a class that is derived from Node's.
    if (given !== undefined && res.getHeaderNames().length === 0) setFields(res, given)
    return headWith(head, res)
  })
  if (!isPreset) {
    removeOwnedFields(res)
    setFields(res, fieldsOf(head))
  }
}

function headWith(head: string, res: ServerResponse): string {
  removeOwnedFields(res)
  let lines = ''
  for (const name of namesOf(res)) {
    const value = res.getHeader(name)
    if (Array.isArray(value)) for (const one of value) lines += `${name}: ${one}\r\n`
    else lines += `${name}: ${value}\r\n`
  }
  // RFC 9110 §6.6.1
  if (res.sendDate && !res.hasHeader('Date')) lines += dateLine()
  return `${head.slice(0, -2)}${lines}\r\n`
}

/** The names of a response's header fields, as they were set. Its type lacks this method, which all messages have. */
const namesOf = (res: ServerResponse & Partial<Pick<ClientRequest, 'getRawHeaderNames'>>): string[] =>
  res.getRawHeaderNames?.() ?? []

let second = 0
let line = ''

/** The field `Date`, formatted once per second, as in Node. */
function dateLine(): string {
  const now = Math.trunc(Date.now() / 1_000)
  if (now !== second) {
    second = now
    line = `Date: ${new Date(now * 1_000).toUTCString()}\r\n`
  }
  return line
}
