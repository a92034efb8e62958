import type { Subject } from './application.ts'
import { accepting } from './checks/accepts.ts'
import type { Check } from './checks/check.ts'
import { inCompany, inCompanyOnHttp1 } from './checks/company.ts'
import { containing } from './checks/contains.ts'
import { emittingOnHttp1, emittingOnHttp2 } from './checks/events.ts'
import { onHttp1 } from './checks/http1.ts'
import { onHttp2 } from './checks/http2.ts'
import { refusing } from './checks/refuses.ts'
import { serving } from './checks/serves.ts'
import { withFixture } from './fixture.ts'
import { ways } from './way.ts'

/** One case of the contract. */
export interface Case {
  /** A sentence, with the way on which the client comes in front. No two cases have the same. */
  readonly name: string
  /** Resolves where the adapter keeps it, and rejects where it does not, mostly with an `AssertionError`. */
  run(): Promise<void>
}

/** What the adapter under test can do. */
export interface CasesOptions {
  /**
   * Whether its framework can serve HTTP/2. Then the cases run over HTTP/2 too, with TLS and without, and over HTTP/1.1
   * beside it.
   * @default false
   */
  readonly http2?: boolean
}

const common: readonly Check[] = [...accepting, ...refusing, ...containing, ...serving, ...inCompany]

const checks = {
  'HTTP/1.1': [...common, ...onHttp1, ...emittingOnHttp1, ...inCompanyOnHttp1],
  'HTTP/2': [...common, ...onHttp2, ...emittingOnHttp2]
}

/**
 * The promise of every adapter: behaviour on the wire, and what applications hear, the same for all of them. Each case
 * starts an application of its own, looks at it from outside and stops it; they may run in any order, one at a time.
 *
 * @param subject serves an application with the adapter
 */
export function cases(subject: Subject, { http2 = false }: CasesOptions = {}): Case[] {
  return ways
    .filter((way) => http2 || !way.http2)
    .flatMap((way) =>
      checks[way.version].map(([name, run, needs = {}]) => ({
        name: `${way.name}: ${name}`,
        run: () => withFixture(subject, way, needs, run)
      }))
    )
}
