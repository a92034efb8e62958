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

/** One test of the contract. */
export interface Case {
  /** A sentence that begins with the way the client connects. Unique among all cases. */
  readonly name: string
  /** Resolves if the adapter passes; rejects if it does not, mostly with an `AssertionError`. */
  run(): Promise<void>
}

/** What the adapter under test supports. */
export interface CasesOptions {
  /**
   * Whether the framework can serve HTTP/2. If so, the cases also run over HTTP/2, with and without TLS, and over
   * HTTP/1.1 on the same server.
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
 * The contract for adapters: behaviour on the wire and the events that applications see, the same for every adapter.
 * Each case starts its own application, observes it from outside and stops it. Cases may run in any order, one at a
 * time.
 *
 * @param subject serves an application with the adapter under test
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
