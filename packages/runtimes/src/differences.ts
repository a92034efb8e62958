import type { Runtime } from './runtime.ts'

/** A case of the contract that fails on a runtime. */
export interface Difference {
  readonly runtime: Runtime['name']
  /** A part of the names of the cases. */
  readonly cases: string
  /** The ways on which they fail. @default all */
  readonly ways?: readonly string[]
  /** What users notice: a sentence of docs/runtimes.md. */
  readonly says: string
}

export const differences: readonly Difference[] = [
  {
    runtime: 'Deno',
    cases: 'for a handshake that is accepted as for an ordinary GET',
    ways: ['HTTP/2', 'HTTP/2 over TLS'],
    says: 'Over HTTP/2, the request of an accepted handshake emits `aborted` when its client resets the stream.'
  },
  {
    runtime: 'Bun',
    cases: 'and the request pipelined behind it',
    ways: ['HTTP/1.1', 'HTTP/1.1 over TLS'],
    says: 'A request pipelined behind one with `Upgrade: h2c` is not answered, and its connection is closed.'
  },
  {
    runtime: 'Bun',
    cases: 'lets a monitor that wraps ws',
    says: "A monitor that instruments `ws` wraps Bun's module, so it sees no handshakes."
  },
  {
    runtime: 'Bun',
    cases: 'contains the loss of a session by destroy()',
    says: 'A client of `node:http2` that destroys its session gets an error for each of its streams.'
  },
  {
    runtime: 'Bun',
    cases: "gives a handshake a response of the server's own class",
    ways: ['HTTP/1.1 over TLS beside HTTP/2'],
    says: 'A handshake has a plain response if the server was given `Http1ServerResponse` of `node:http2`.'
  }
]

/** The known difference for a case on a runtime. */
export const differenceIn = (name: string, runtime: Runtime): Difference | undefined =>
  differences.find(
    ({ runtime: other, cases, ways }) =>
      other === runtime.name &&
      name.includes(cases) &&
      (ways === undefined || ways.some((way) => name.startsWith(`${way}: `)))
  )
