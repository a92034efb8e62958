import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { attach, serveTopics } from '@oneport/core'
import { createTopics, type Topics, type TopicsAccess } from '@oneport/topics'
import { misbehave } from './misbehave.ts'
import type { NodeSettings } from './settings.ts'
import { connectStore } from './store.ts'

/** How long a topic keeps its messages, in milliseconds. */
const keptMs = 3_600_000

const html = '<!doctype html><title>Torture</title><link rel="icon" href="data:,"><script src="/page.js"></script>'

/** A node: serves topics at one URL, until the conductor kills it. */
async function main({ port, store, urls, messages, fault, script }: NodeSettings): Promise<void> {
  const backplane = connectStore(store, urls)
  const created = createTopics({
    history: { messages, ms: keptMs, bytes: Infinity },
    maxHistoryBytes: Infinity,
    // So that slow clients fall behind soon.
    maxBufferedBytes: 262_144,
    ...(backplane && { backplane })
  })
  const topics: Topics = fault === undefined ? created : misbehave(created, fault)
  const program = script === undefined ? '' : readFileSync(script, 'utf8')
  const server = createServer((req, res) => {
    if (req.url === '/page') {
      res.setHeader('Content-Type', 'text/html').end(html)
      return
    }
    if (req.url === '/page.js') {
      res.setHeader('Content-Type', 'text/javascript').end(program)
      return
    }
    const name = new URLSearchParams(req.url?.split('?')[1]).get('client') ?? ''
    void serveTopics(req, res, topics, accessOf(name), { perMessageDeflate: { serverNoContextTakeover: true } })
  })
  attach(server)
  await once(server.listen({ port, host: '127.0.0.1', exclusive: true }), 'listening')
  process.send?.('ready')
}

/** Every third client is let in a little later. */
function accessOf(key: string): TopicsAccess {
  const shown = key === '' ? {} : { presence: { id: key } }
  if (key.length % 3 !== 0) return { key, mayRead: () => true, mayPublish: () => true, ...shown }
  const later = async (): Promise<boolean> => {
    await sleep(1)
    return true
  }
  return { key, mayRead: later, mayPublish: later, ...shown }
}

process.once('disconnect', () => process.exit())
void main(JSON.parse(process.argv[2] ?? '{}') as NodeSettings)
