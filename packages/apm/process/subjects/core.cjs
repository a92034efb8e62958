const { createServer } = require('node:http')
const { acceptWebSocket, attach } = require('@oneport/core')
const { echo, listen } = require('../echo.cjs')

exports.start = () => {
  const application = (req, res) => {
    if (req.url.startsWith('/chat')) return acceptWebSocket(req, res, echo)
    res.writeHead(req.url === '/refused' ? 429 : 200).end('plain')
  }
  const server = createServer(application)
  attach(server, application)
  return listen(server)
}
