import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import express5, { type ErrorRequestHandler } from 'express'
// @ts-expect-error Express 4 is installed under another name; its types would be those of Express 5
import express4 from 'express4'
import { acceptWebSocket, checkHandshake, wsUpgrade } from '../../src/index.ts'

// log.test.ts starts this program: one application of each kind refuses a handshake, and its output follows its name.
const [, , version] = process.argv
const express = version === 'Express 4' ? (express4 as typeof express5) : express5

const page: ErrorRequestHandler = (error, _req, res, _next) => void res.status(error.status).send(error.message)
const passing: ErrorRequestHandler = (error, _req, _res, next) => setImmediate(next, error)
const silent: ErrorRequestHandler = (_error, _req, res, _next) => void res.destroy()

function makeApp(...handlers: ErrorRequestHandler[]): express5.Express {
  const app = express()
  app.use(wsUpgrade())
  app.use('/early', (req, _res, next) => {
    checkHandshake(req)
    next()
  })
  app.get('/chat', (req, res) => acceptWebSocket(req, res, () => {}))
  for (const handler of handlers) app.use(handler)
  return app
}

const cases: Record<string, [app: express5.Express, path: string]> = {
  'no error middleware': [makeApp(), '/chat'],
  'an early check': [makeApp(), '/early'],
  'an application in another': [express().use('/sub', makeApp()), '/sub/chat'],
  'error middleware that passes it on': [makeApp(passing), '/chat'],
  'error middleware that answers': [makeApp(page), '/chat'],
  'error middleware that cuts the connection': [makeApp(silent), '/chat']
}

const headers = {
  Host: 'localhost:3000',
  Origin: 'http://localhost:5173',
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': 13,
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ=='
}

async function main(): Promise<void> {
  for (const [name, [app, path]] of Object.entries(cases)) {
    process.stderr.write(`# ${name}\n`)
    const server = app.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const request = http.get({ port: (server.address() as AddressInfo).port, path, headers })
    request.on('error', () => {})
    request.on('response', async (response) => {
      for await (const text of response.setEncoding('utf8')) {
        if (text.includes('allowedOrigins')) process.stderr.write('The client saw what is for the log alone.\n')
      }
    })
    await new Promise((resolve) => request.once('close', resolve))
    await once(server.close(), 'close')
  }
}

void main()
