import { handshakers } from '../contenders/index.ts'
import { effortFigures, measureEffort } from './effort.ts'
import { plainEntries, type Suite } from './suite.ts'

const atOnce = 64
/** Handshakes per round; as many connections are open at its end. */
export const handshakes = 4_000

const entries = plainEntries(handshakers)

export const handshakeClose: Suite = {
  name: 'handshake-close',
  title: 'Handshake, then close',
  text: `A client connects, sends a browser’s opening handshake and, after the 101, a close frame. It is done when the server has closed the TCP connection. ${atOnce} clients at a time.`,
  entries,
  figures: effortFigures('handshake'),
  chart: 'Server CPU per handshake and close, bare ws = 1',
  fresh: false,
  measure: async (stage) => {
    const times = stage.scaled(handshakes)
    await stage.server({ ask: 'settle' })
    return measureEffort(stage, times, { kind: 'open and close', count: times, atOnce })
  }
}

export const handshakeOnly: Suite = {
  name: 'handshake-only',
  title: 'Handshake only',
  text: `The same without closing: connections stay open until the round ends. ${atOnce} clients at a time.`,
  entries,
  figures: effortFigures('handshake'),
  chart: 'Server CPU per handshake, bare ws = 1',
  fresh: false,
  measure: async (stage) => {
    const times = stage.scaled(handshakes)
    await stage.server({ ask: 'settle' })
    const sample = await measureEffort(stage, times, { kind: 'open and stay', count: times, atOnce })
    await stage.generate({ kind: 'drop' })
    return sample
  }
}

export const refusal: Suite = {
  name: 'refusal',
  title: 'Refusal by origin',
  text: `The handshake has an origin that is not allowed. The response is 403, or 400 from socket.io. A client is done when the server has closed the connection. Logging is off. ${atOnce} clients at a time.`,
  entries,
  figures: effortFigures('refusal'),
  chart: 'Server CPU per refusal, bare ws = 1',
  fresh: false,
  measure: async (stage) => {
    const times = stage.scaled(handshakes)
    await stage.server({ ask: 'settle' })
    return measureEffort(stage, times, { kind: 'be refused', count: times, atOnce })
  }
}
