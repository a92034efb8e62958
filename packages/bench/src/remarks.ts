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

**The cost of a handshake in Oneport.** On top of what \`ws\` does, Oneport creates a \`ServerResponse\`, writes its headers one by one, and keeps
the route's async context for the socket's listeners. This is what makes middleware work. A refusal costs more than in
bare \`ws\`, because it is a full response: two pieces written in one system call, where bare \`ws\` writes one string.`
