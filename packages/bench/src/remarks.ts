/** What a reader of the results may ask. */
export const remarks = `## Notes on the results

**Several messages in flight.** If messages arrive together, Oneport sends the answers in one write instead of one write for each:
see \`coalesce\` in [Options](options.md).

**bufferutil.** A server has to unmask every byte that a client sends. \`ws\` does this in JavaScript, or in compiled code if your
application installs [\`bufferutil\`](https://github.com/websockets/bufferutil), which has prebuilt binaries for common platforms.
It pays off from about 1 KiB per message on: see the tables with bufferutil.

**The cost of closing in \`ws\`.** When a connection closes, \`socketOnEnd\` and \`socketOnClose\` of \`ws\` end a receiver and a socket that
have already ended. For each of these three calls Node creates an error with a stack trace, and drops it, because \`end()\` was
called without a callback. In a CPU profile of bare \`ws\`, this took 12 % of a handshake and close. Oneport avoids it on its own
sockets with an \`end\` that does nothing once they have ended. The right place for the fix is \`ws\`: if it checked \`writableEnded\`
before each of the three calls, everything on this page except the floors would get faster.

**The cost of a handshake in Oneport.** On top of what \`ws\` does, Oneport checks its rules, creates a \`ServerResponse\` for middleware, and
keeps the route's async context for the listeners of the socket. This takes 3 kB of memory until the next garbage collection, and 5
to 10 % of CPU time. A refusal costs a third to a half more than one written by hand: it is a response that loggers can read, and after it the
connection stays open until the client has read it.

**The cost of Express.** Express gives each request and response another prototype. After that, V8 creates a new hidden class for each
property that is added, which takes 2 µs and 1 kB each time and makes everything slower that uses these objects. Oneport adds the
properties that Express will set before it hands a handshake to Express. This halves the cost, and is why Oneport for Express is
faster than express-ws. The right place for the fix is Express: if it set these properties before
\`Object.setPrototypeOf\`, every request would get faster. We tried it with ordinary GET requests: they took 0.67 of the CPU time.

**64 KiB in Express and Fastify.** They use the same sockets as core, but a large message costs more there. It costs the same with
@fastify/websocket, and also with core alone if the process has only loaded Fastify. In such a process, V8 spent 9 % of the time
collecting garbage instead of 2 %, and twice as much memory of received messages waited for it.

**Unmasking in \`ws\`.** Without bufferutil, \`ws\` unmasks one byte at a time. With an \`Int32Array\` over the same memory, which unmasks four
at a time, 64 KiB took 15 µs instead of 60 µs in Node.js 20, and 6 µs instead of 30 to 60 µs in Node.js 22 to 26. This could be done in
\`buffer-util.js\` of \`ws\`.

**What a broadcast costs at least.** We also wrote the frame straight to Node's handle of each connection, without any stream. Compared with
a loop over bare \`ws\`, this took 0.67 of the CPU time for 1,000 clients and 0.72 for 5,000. The rest is what Node's streams do for each
write: an object for the request, a callback, and an entry in the queue of \`process.nextTick\`.

**The cost of a history.** Compared with topics before there was a history, \`publish\` to 1,000 sockets took 0.98 of the CPU time without a
history, and 0.99 with one, in a run of 21 rounds; 0.97 and 1.02 in another.

**Coming back in socket.io.** Connection state recovery is meant for short disconnections. [Its
page](https://socket.io/docs/v4/connection-state-recovery) says that it will not always be successful, so applications have to
synchronize the state of a client in another way too, and [the
tutorial](https://socket.io/docs/v4/tutorial/step-6) that it may not work if the server crashes or is restarted. Events are delivered
[at most once](https://socket.io/docs/v4/delivery-guarantees). In [its adapter for Redis
streams](https://github.com/socketio/socket.io-redis-streams-adapter/blob/main/lib/adapter.ts), each client that comes back reads
everything that was published for anyone since its last message, until nothing more follows. So the time grows with the number of
clients times that of messages. In Oneport, a topic is read once for all its clients. The adapter's Redis
client has no timeout for commands here: with that of node-redis 6, which is 5 s, the server of socket.io ended with an uncaught error in
one of our runs. Redis was 7.0.15. The machine had other work while this was measured, so all times are longer than on an idle one.

**Lost silently.** A message that is published after a returning client of socket.io has read the stream, but before it is in its rooms
again, does not reach this client, although its session counts as recovered. In the tables above this does not happen, because the
messages end before most clients are back. It does if they go on: in two runs with 1,500 clients of socket.io-client 4.8.4 and 100
messages a second all the time, every client had \`socket.recovered\`, but 11 and 19 of them lacked one message each. A client of Oneport
gets every message, or is told of a gap. A client of socket.io that is new after a crash knows that it may have missed something, but not
what.`
