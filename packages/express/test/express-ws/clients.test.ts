import { signal } from '@oneport/test-kit'
import type { WebSocket } from '../../src/index.ts'
import { useServers } from '../servers.ts'
import { both } from './libraries.ts'

const { serve, connect } = useServers()

describe.each(both)('getWss().clients of %s', (_name, { express, expressWs }) => {
  test('regression: an online counter counts who has just come, and not who has just left', async () => {
    const { app, getWss } = expressWs(express())
    const tellAll = (): void => {
      for (const client of getWss().clients) client.send(`${getWss().clients.size} online`)
    }
    app.ws('/', (ws) => {
      tellAll()
      ws.on('close', tellAll)
    })
    const target = await serve(app)
    const ada = await connect(target, '/')
    expect(await ada.next()).toBe('1 online')
    const bob = await connect(target, '/')
    expect([await bob.next(), await ada.next()]).toEqual(['2 online', '2 online'])
    bob.socket.close()
    expect(await ada.next()).toBe('1 online')
  })

  test('has a socket in every handler and in listeners for connection, and in no listener for its close', async () => {
    const { app, getWss } = expressWs(express())
    const moments: [moment: string, isIn: boolean][] = []
    const see = (moment: string, ws: WebSocket): void => void moments.push([moment, getWss().clients.has(ws)])
    const seeClose = (added: string, ws: WebSocket): void => {
      ws.on('close', () => see(`close listener, added ${added}`, ws))
    }
    const ended = signal()
    getWss().on('connection', (ws) => {
      see('connection', ws)
      seeClose('in connection', ws)
    })
    app.ws(
      '/',
      (ws, _req, next) => {
        see('first handler', ws)
        seeClose('in the first handler', ws)
        ws.onclose = () => see('onclose', ws)
        setImmediate(next)
      },
      async (ws) => {
        see('second handler', ws)
        ws.once('message', () => {
          see('message', ws)
          seeClose('late', ws)
          ws.on('close', () => ended.give())
        })
      }
    )
    const { socket } = await connect(await serve(app), '/')
    socket.send('hello')
    socket.close()
    await ended.given
    expect(moments).toEqual([
      ['first handler', true],
      ['connection', true],
      ['second handler', true],
      ['message', true],
      ['close listener, added in the first handler', false],
      ['onclose', false],
      ['close listener, added in connection', false],
      ['close listener, added late', false]
    ])
  })
})
