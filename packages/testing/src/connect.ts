import { Attempt } from './attempt.ts'
import { Client } from './client.ts'
import { Network, type Passage, passThrough } from './network.ts'
import { type ConnectOptions, resolveOptions } from './options.ts'
import { type Refusal, RefusedError } from './refused.ts'
import { readable, show } from './show.ts'
import { reach, type Target } from './target.ts'
import { overdue, within } from './wait.ts'

/**
 * Sends an opening handshake to an application and waits for the response.
 *
 * By default, the connection is in memory: the server handles it like one from the network, but does not listen on a
 * port. Such a connection does not keep the process alive.
 *
 * @param path starts with `/`, and may have a query; by default `/`, or the path of the URL
 * @returns an open client
 * @throws RefusedError with status, header fields and body, if the handshake is refused
 * @throws TypeError for an invalid target, path or option
 * @throws Error that says what was received instead, if there is no response in time, or a broken one
 */
export async function connect(target: Target | Network, path?: string, options?: ConnectOptions): Promise<Client> {
  return open('connect', target, path, options)
}

async function open(
  call: string,
  target: Target | Network,
  path: string | undefined,
  options: ConnectOptions = {}
): Promise<Client> {
  const { way, options: resolved } = await passageTo(call, target, path, options)
  const attempt = new Attempt(way, resolved)
  const outcome = await within(resolved.timeoutMs, attempt.outcome)
  if (outcome instanceof Client) return outcome
  await attempt.abandon()
  const handshake = `${call}: the handshake of ${way.url.pathname}`
  if (outcome === overdue) {
    throw new Error(`${handshake} was not answered within ${resolved.timeoutMs} ms. ${attempt.history()}`)
  }
  if ('fault' in outcome)
    throw new Error(`${handshake} failed: ${readable(outcome.fault.message, 1_000)}`, { cause: outcome.fault })
  throw new RefusedError(way.url.pathname, outcome.head, outcome.body)
}

async function passageTo(
  call: string,
  target: Target | Network,
  path: string | undefined,
  given: ConnectOptions
): Promise<Passage> {
  if (target instanceof Network) return passThrough(target, call, path, given)
  const options = resolveOptions(given, call)
  return { way: await reach(call, target, path, options), options }
}

/**
 * Like `connect`, for a handshake that the application must refuse.
 * @returns status, header fields and body of the response
 * @throws Error if the handshake is accepted
 * @throws TypeError, Error like `connect`
 */
export async function expectRefused(
  target: Target | Network,
  path?: string,
  options?: ConnectOptions
): Promise<Refusal> {
  let client: Client
  try {
    client = await open('expectRefused', target, path, options)
  } catch (error) {
    if (error instanceof RefusedError) return error
    throw error
  }
  client.terminate()
  const { status } = client.response
  const subprotocol = client.subprotocol === undefined ? '' : ` and the subprotocol ${show(client.subprotocol)}`
  throw new Error(`expectRefused: the handshake of ${path ?? '/'} was accepted, with ${status}${subprotocol}`)
}
