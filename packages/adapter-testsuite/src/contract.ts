import { describeBehaviour } from './contract/behaviour.ts'
import { makeHttp1Client } from './contract/http1-client.ts'
import { describeHttp1Wire } from './contract/http1-wire.ts'
import { makeHttp2Client } from './contract/http2-client.ts'
import { describeHttp2Wire } from './contract/http2-wire.ts'
import { describeOtherClients } from './contract/other-clients.ts'
import { type StartAdapter, type Subject, startSubject, type Way } from './contract/subject.ts'

type NamedWay = [suffix: string, way: Way]

const http1: NamedWay[] = [
  ['', { tls: false, http2: false, makeClient: makeHttp1Client }],
  [' over TLS', { tls: true, http2: false, makeClient: makeHttp1Client }]
]

const http2: NamedWay[] = [
  [' over HTTP/2', { tls: false, http2: true, makeClient: makeHttp2Client }],
  [' over HTTP/2 and TLS', { tls: true, http2: true, makeClient: makeHttp2Client }],
  [' over TLS beside HTTP/2', { tls: true, http2: true, makeClient: makeHttp1Client }]
]

/**
 * The promise of every adapter: behaviour on the wire, the same for all of them.
 *
 * @param start serves the application of the contract
 * @param speaks whether the framework can serve HTTP/2
 */
export function describeAdapter(name: string, start: StartAdapter, speaks = { http2: false }): void {
  describe.each([...http1, ...(speaks.http2 ? http2 : [])])(`${name}%s`, (_suffix, way) => {
    let current: Subject
    const subject = () => current

    beforeEach(async () => {
      current = await startSubject(start, way)
    })

    afterEach(async () => {
      await current.stop()
    })

    describeBehaviour(subject)
    if (way.makeClient === makeHttp1Client) {
      describeHttp1Wire(subject)
      describeOtherClients('HTTP/1.1', subject)
    } else {
      describeHttp2Wire(subject)
      describeOtherClients('HTTP/2', subject)
    }
  })
}
