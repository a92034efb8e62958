import { createHash } from 'node:crypto'
import { couldBeHandshake, judge } from './oracle.ts'
import { membersOf, type Reading, type Request } from './requests.ts'
import { fieldValues, type Response } from './responses.ts'
import { theirPath } from './settings.ts'

const acceptOf = (key: string): string =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')

/**
 * Finds what is wrong with a 101: that it was sent at all, or what it contains (RFC 6455 §4.2.2 (5)).
 * @param index the response's number
 * @param text everything that the client sent
 */
export function faultOfSwitch(response: Response, index: number, reading: Reading, text: string): string | undefined {
  const request = reading.requests[index]
  if (request !== undefined) {
    const { kind, why } = judge(request)
    if (kind === 'forbidden') return `a forbidden 101: ${why}`
  } else if (reading.rest !== 'unclear') {
    return 'a 101 to something that is not a request'
  } else if (!couldBeHandshake(text) && !text.includes(theirPath)) {
    return 'a 101 to something that is not a handshake'
  }
  const keys = text.match(/(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{22}==/g) ?? []
  const [accept = '', ...more] = fieldValues(response, 'sec-websocket-accept')
  if (more.length > 0 || !keys.some((key) => acceptOf(key) === accept)) return `a 101 that accepts ${accept}`
  if (fieldValues(response, 'upgrade').join() !== 'websocket') return 'a 101 without Upgrade: websocket'
  if (fieldValues(response, 'connection').join().toLowerCase() !== 'upgrade') return 'a 101 without Connection: Upgrade'
  return request && faultOfAgreement(response, request)
}

/** The server may agree only on what was offered. */
function faultOfAgreement(response: Response, request: Request): string | undefined {
  const offered = membersOf(request, 'sec-websocket-protocol')
  const chosen = fieldValues(response, 'sec-websocket-protocol')
  if (chosen.length > 1 || chosen.some((name) => !offered.includes(name))) return `the subprotocol ${chosen.join()}`
  const extensions = membersOf(request, 'sec-websocket-extensions').map(nameOf)
  const agreed = fieldValues(response, 'sec-websocket-extensions').flatMap((value) => value.split(',').map(nameOf))
  return agreed.every((name) => extensions.includes(name)) ? undefined : `the extensions ${agreed.join()}`
}

const nameOf = (extension: string): string => (extension.split(';', 1)[0] ?? '').trim()
