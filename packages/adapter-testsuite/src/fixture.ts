import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { ClientHttp2Session } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import type { FaultContext, HandshakeErrorCode } from '@oneport/core'
import type { Subject } from './application.ts'
import type { Client } from './client/client.ts'
import { makeHttp1Client } from './client/http1.ts'
import { makeHttp2Client } from './client/http2.ts'
import { closeServed } from './close-served.ts'
import { endpoints, fields, lateFields, pages } from './endpoints.ts'
import { type Gate, makeGate } from './gate.ts'
import { openSession } from './parts/http2-client.ts'
import { openRaw, type Target } from './parts/raw-client.ts'
import { serverFor, type Way } from './way.ts'

/** What a case needs beyond the default. */
export interface Needs {
  /** The server's response class over HTTP/1.1. */
  readonly ServerResponse?: typeof ServerResponse
}

/** An error from a handler or a listener, as reported to `onError`. */
export interface Fault {
  readonly error: unknown
  readonly phase: FaultContext['phase']
}

type Exchange = (req: IncomingMessage, res: ServerResponse) => void

/** The application of one case, and what the case observes. */
export interface Fixture {
  readonly server: Server
  readonly target: Target
  readonly client: Client
  /** The endpoints `/gate`, `/listens-late` and `/pushes` wait for it. */
  readonly gate: Gate
  readonly faults: readonly Fault[]
  readonly refusals: readonly HandshakeErrorCode[]
  /**
   * Sets the value that `/throws`, `/handler-throws` and the like throw. By default an error with the message `broken`.
   */
  throws(value: unknown): void
  /** Calls back for each request that reaches the application's middleware. */
  onRequest(exchange: Exchange): void
  /** Opens a raw connection. Like sessions and the client, it is closed at the end of the case. */
  open(): Promise<Socket>
  /** Opens an HTTP/2 session. */
  openSession(): Promise<ClientHttp2Session>
  drain(): Promise<unknown>
  /** Shuts the application down as its users would. Resolves when no connection is left. */
  close(): Promise<unknown>
}

const broken = new Error('broken')

/** Serves the application of one case, and stops it afterwards. */
export async function withFixture(
  subject: Subject,
  way: Way,
  needs: Needs,
  run: (fixture: Fixture) => Promise<void>
): Promise<void> {
  const gate = makeGate()
  const faults: Fault[] = []
  const refusals: HandshakeErrorCode[] = []
  const watchers: Exchange[] = []
  let thrown: unknown = broken

  /** What middleware does at a path, for endpoints and pages alike. */
  const doors: Record<string, () => unknown> = {
    gate: () => gate.enter(),
    guarded: () => {
      throw Object.assign(new Error('Log in first'), { status: 401, statusCode: 401 })
    },
    throws: () => {
      throw thrown
    }
  }
  const served = await subject({
    ...(await serverFor(way, needs.ServerResponse)),
    endpoints: endpoints(gate, () => thrown),
    pages,
    fields,
    lateFields,
    before: async (req, res) => {
      for (const watch of watchers) watch(req, res)
      await doors[req.url?.replace(/^\/(plain-)?/, '') ?? '']?.()
    },
    options: {
      onError: (error, { phase }) => faults.push({ error, phase }),
      onRefused: ({ code }) => refusals.push(code)
    }
  })
  const close = (): Promise<unknown> => closeServed(served)
  const target: Target = { port: (served.server.address() as AddressInfo).port, tls: way.tls }
  const raws: Socket[] = []
  const sessions: ClientHttp2Session[] = []
  let client: Client | undefined
  const end = (): Promise<unknown> => {
    gate.open()
    for (const opened of [...raws, ...sessions]) opened.destroy()
    client?.close()
    return close()
  }
  try {
    client = await (way.version === 'HTTP/2' ? makeHttp2Client : makeHttp1Client)(target)
    await run({
      server: served.server as Server,
      target,
      client,
      gate,
      faults,
      refusals,
      throws: (value) => {
        thrown = value
      },
      onRequest: (watch) => void watchers.push(watch),
      open: async () => keep(raws, await openRaw(target)),
      openSession: async () => keep(sessions, await openSession(target)),
      drain: () => served.drain(),
      close
    })
  } catch (error) {
    // After a failure, closing may hang too.
    end().catch(() => {})
    throw error
  }
  await end()
}

function keep<Value>(all: Value[], one: Value): Value {
  all.push(one)
  return one
}
