import type { Server } from 'node:http'
import { type Attachment, attach } from '../src/index.ts'
import type { versions } from './versions.ts'

type Version = (typeof versions)[number][1]

/** An application as `serve()` of this version runs it, without a port. */
export function serving(
  { createAdaptorServer }: Version,
  ...[app, options]: [app: Parameters<Version['createAdaptorServer']>[0], options?: Parameters<typeof attach>[1]]
): { readonly server: Server; readonly websockets: Attachment } {
  const server = createAdaptorServer({ fetch: app.fetch }) as Server
  return { server, websockets: attach(server, options) }
}
