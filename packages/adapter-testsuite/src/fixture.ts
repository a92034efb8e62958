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

/** What a case needs beside the ordinary. */
export interface Needs {
  /** The class of the server's responses over HTTP/1.1. */
  readonly ServerResponse?: typeof ServerResponse
}

/** What a handler or a listener has thrown, as the adapter's `onError` was told. */
export interface Fault {
  readonly error: unknown
  readonly phase: FaultContext['phase']
}

type Exchange = (req: IncomingMessage, res: ServerResponse) => void

/** The application of one case, and what the case sees of it. */
export interface Fixture {
  readonly server: Server
  readonly target: Target
  readonly client: Client
  /** What the endpoints `/gate`, `/listens-late` and `/pushes` wait for. */
  readonly gate: Gate
  readonly faults: readonly Fault[]
  readonly refusals: readonly HandshakeErrorCode[]
  /** Says what `/throws`, `/handler-throws` and the like throw: by default an error with the message `broken`. */
  throws(value: unknown): void
  /** Tells of each request that comes to the middleware of the application. */
  onRequest(exchange: Exchange): void
  /** Opens a raw connection. It ends with the case, as do sessions and the client. */
  open(): Promise<Socket>
  /** Opens a session of HTTP/2. */
  openSession(): Promise<ClientHttp2Session>
  drain(): Promise<unknown>
  /** Ends the application as its users would; resolves when no connection is left. */
  close(): Promise<unknown>
}

const broken = new Error('broken')

/** Serves the application of one case, and stops it after that. */
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

  /** What middleware does at a path, be it an endpoint or a page. */
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
    // What has failed may also keep it from closing.
    end().catch(() => {})
    throw error
  }
  await end()
}

function keep<Value>(all: Value[], one: Value): Value {
  all.push(one)
  return one
}
