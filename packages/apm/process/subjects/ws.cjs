const { createServer } = require('node:http')
const { WebSocketServer } = require('ws')
const { echo, listen } = require('../echo.cjs')

exports.start = () => {
  const server = createServer((_req, res) => res.end('plain'))
  const websockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', (req, rawSocket, head) => {
    if (req.url === '/refused') rawSocket.end('HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\n\r\n')
    else websockets.handleUpgrade(req, rawSocket, head, echo)
  })
  return listen(server)
}
