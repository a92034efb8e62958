import { runtime } from './runtime.ts'

/** Rows of docs/runtimes.md that follow from the cases of the contract, with a pattern for the names of those cases. */
const parts: readonly (readonly [row: string, part: RegExp])[] = [
  ['Origin check, subprotocols, refusals by middleware', /: (?:accepts|refuses) |on the wire (?:accepts|refuses) /],
  ['Early messages wait for their listener', /keeps? .*(?:frame|message)/],
  ['`permessage-deflate`', /without compression by default/],
  ['TLS', /over TLS/],
  ['HTTP/2 (RFC 8441)', /: HTTP\/2/],
  ['`server.close()` closes connections with 1001', /1001 when it is closed/],
  ['An error in a handler closes only its own connection, with 1011', /(?:throws|rejects).*1011/],
  ['Clients that do not read are closed with 1013', /1013/],
  ['Requests and responses emit the same events as for a GET', /emits the same events/],
  ['`Upgrade: h2c` is answered as an ordinary request', /as an ordinary request/],
  ['Other `upgrade` listeners cannot disturb an accepted connection', /when another upgrade listener/],
  ['Monitors that instrument `ws` see handshakes', /lets a monitor/],
  ["Handshakes get the server's own response class", /response of the server/]
]

/** Collects the verdicts on cases. */
export class Rows {
  readonly #names: string[] = []
  readonly #differing: string[] = []

  add(name: string, differs: boolean): void {
    this.#names.push(name)
    if (differs) this.#differing.push(name)
  }

  /** The answer of each row for this runtime. */
  *[Symbol.iterator](): Generator<readonly [row: string, answer: string]> {
    yield ['Version', runtime.version]
    for (const [row, part] of parts) {
      const [all, differing] = [this.#names, this.#differing].map(
        (names) => names.filter((name) => part.test(name)).length
      )
      yield [row, all === 0 ? 'not tested' : differing === 0 ? 'yes' : differing === all ? 'no' : 'with exceptions']
    }
  }
}
