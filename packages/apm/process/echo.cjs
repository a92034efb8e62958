/** What every subject does with an open socket. */
exports.echo = (socket) => {
  socket.send('welcome')
  socket.on('message', (data) => socket.send(`echo ${data}`))
}

/** Starts a server. Resolves to its port and a function that closes it. */
exports.listen = (server) =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve({ port: server.address().port, close: () => new Promise((done) => server.close(done)) })
    })
  })
