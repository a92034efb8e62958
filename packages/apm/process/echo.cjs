/** What each subject does with an open socket. */
exports.echo = (socket) => {
  socket.send('welcome')
  socket.on('message', (data) => socket.send(`echo ${data}`))
}

/** Lets a server listen; the promise resolves to its port, and how to end it. */
exports.listen = (server) =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve({ port: server.address().port, close: () => new Promise((done) => server.close(done)) })
    })
  })
