import { contenders, plainServers } from '../contenders/index.ts'
import { effortFigures, measureEffort } from './effort.ts'
import { plainEntries, type Suite } from './suite.ts'

const connections = 16
const requests = 16_000

const frameworks: Readonly<Record<string, string>> = {
  express: 'plain-express',
  'express-ws': 'plain-express',
  fastify: 'plain-fastify',
  'fastify-websocket': 'plain-fastify'
}

/** Each framework, followed by those that add WebSockets to it. */
const entries = plainServers.flatMap((plain) => [
  ...plainEntries([plain], plain.name),
  ...plainEntries(
    contenders.filter(({ name, kind }) => kind !== 'floor' && (frameworks[name] ?? 'plain-http') === plain.name),
    plain.name
  )
])

export const httpTax: Suite = {
  name: 'http-tax',
  title: 'HTTP tax',
  text: `What WebSockets cost requests that do not use them: ordinary GETs on ${connections} keep-alive connections, one at a time on each. Each contender is compared with its own framework without WebSockets. None of the servers has had a WebSocket connection before.`,
  entries,
  figures: effortFigures('request'),
  chart: 'Server CPU per GET, the same framework without WebSockets = 1',
  fresh: false,
  // V8's code for sockets slows down once some of them have been WebSockets, on any server. That is not part of the
  // tax.
  apart: true,
  measure: async (stage) => {
    const times = Math.ceil(stage.scaled(requests) / connections) * connections
    await stage.server({ ask: 'settle' })
    return measureEffort(stage, times, { kind: 'send gets', requests: times, connections })
  }
}
