import type { Duplex } from 'node:stream'

/** A hand-written refusal, ended as `ws` ends its own. */
export function refuse(rawSocket: Duplex): void {
  rawSocket.once('finish', rawSocket.destroy)
  rawSocket.end(forbidden)
}

export const forbidden = [
  'HTTP/1.1 403 Forbidden',
  'Connection: close',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Length: 10',
  '',
  'Forbidden\n'
].join('\r\n')
