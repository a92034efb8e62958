import type { AttachOptions, FaultContext, HandshakeError } from '@oneport/core'
import { type Certificate, certificate } from '../parts/certificate.ts'
import type { Target } from '../parts/raw-client.ts'
import { type ContractRoute, endpoints, type Gate, makeGate } from './application.ts'
import type { Client, MakeClient } from './client.ts'

/** The application that an adapter serves in the contract. */
export interface Contract {
  /** The endpoints; beside them the application answers `GET /plain` with 200 and the text `plain`. */
  readonly routes: readonly ContractRoute[]
  /** Passed to the adapter. */
  readonly options: Pick<AttachOptions, 'onError' | 'onRefused'>
  /** Key and certificate where the server speaks TLS. */
  readonly tls: Certificate | undefined
  /** Whether the server speaks HTTP/2: over TLS beside HTTP/1.1 (`allowHTTP1`), else alone. */
  readonly http2: boolean
}

/** A listening application. */
export interface RunningAdapter {
  readonly port: number
  /** Refuses new handshakes and closes the open connections, as `Attachment.drain`. */
  drain(): Promise<unknown>
  /** Ends it as its users would: open connections get 1001. */
  close(): Promise<unknown>
}

export type StartAdapter = (contract: Contract) => Promise<RunningAdapter>

/** A way on which clients reach the application. */
export interface Way {
  readonly tls: boolean
  readonly http2: boolean
  readonly makeClient: MakeClient
}

interface Fault {
  readonly message: string
  readonly phase: FaultContext['phase']
}

/** The application of one test, and what the test sees of it. */
export interface Subject {
  readonly running: RunningAdapter
  readonly target: Target
  readonly client: Client
  /** What the endpoints `/gate`, `/listens-late` and `/pushes` wait for. */
  readonly gate: Gate
  readonly faults: readonly Fault[]
  readonly refusals: readonly HandshakeError[]
  /** The versions of HTTP on which the endpoints were reached. */
  readonly versions: readonly string[]
  stop(): Promise<unknown>
}

export async function startSubject(start: StartAdapter, { tls, http2, makeClient }: Way): Promise<Subject> {
  const faults: Fault[] = []
  const refusals: HandshakeError[] = []
  const versions: string[] = []
  const gate = makeGate()
  const running = await start({
    routes: endpoints(gate).map((route) => ({
      ...route,
      before: (req) => {
        versions.push(req.httpVersion)
        return route.before(req)
      }
    })),
    options: {
      onError: (error, { phase }) => faults.push({ message: String((error as Error).message), phase }),
      onRefused: (error) => refusals.push(error)
    },
    tls: tls ? await certificate() : undefined,
    http2
  })
  const target = { port: running.port, tls }
  const client = await makeClient(target)
  return {
    running,
    target,
    client,
    gate,
    faults,
    refusals,
    versions,
    stop: () => {
      gate.open()
      client.close()
      return running.close()
    }
  }
}
