/**
 * How the copies of core in one process find each other. A bundler can copy core, and two versions can be installed.
 * Then one copy may attach the server, and another may be asked to accept.
 */
import type { Attachment, HttpServer } from './attachment.ts'
import { version } from './version.ts'

/**
 * A copy of core, as other copies see it. Each function has the parameters and the behavior of the copy's own function
 * of that name. This interface is a promise to all versions with `@1` in their keys.
 */
export interface Copy {
  readonly version: string
  attach(server: object, dispatch: unknown, options: object | undefined, adapter: object | undefined): Attachment
  agree(req: object, options: object | undefined, handler: unknown, framework: object): Agreed
  checkHandshake(req: object, options: object | undefined, framework: object): Pick<Agreed, 'subprotocol'>
  limitPending(req: object, effective: object | undefined, framework?: object): void
  answerFault(req: object, res: object, thrown: unknown): void
  /** @returns undefined for a socket that this copy has not opened */
  renew(socket: object, expiresAt: Date | number): boolean | undefined
}

interface Agreed {
  readonly subprotocol: string | undefined
  readonly isSettled?: boolean
  settled(): Promise<boolean>
}

interface Registry {
  /** Weak, so that unused copies can be collected: a dev server loads a new one for each reload. */
  readonly copies: Set<WeakRef<Copy>>
  /** The copy that handles the handshakes of a server, for all its attachments. */
  readonly owners: WeakMap<object, Copy>
  /** The attachments of each server, by their application, in the order in which they get handshakes. */
  readonly attachments: WeakMap<object, Map<object, Attachment>>
}

/** What a copy of any version tells about itself. This interface never changes. */
export interface Presence {
  readonly version: string
  /** A copy can work with the copies that have the same number. */
  readonly edition: number
  isAttached(server: object): boolean
}

const edition = 1

/** A value that all copies share, by name. */
function shared<Value>(name: string, make: () => Value): Value {
  const key = Symbol.for(name)
  const world = globalThis as { [key]?: Value }
  if (world[key] === undefined) Object.defineProperty(globalThis, key, { value: make() })
  return world[key] as Value
}

const { copies, owners, attachments } = shared<Registry>(`oneport.registry@${edition}`, () => ({
  copies: new Set(),
  owners: new WeakMap(),
  attachments: new WeakMap()
}))

const presences = shared<Set<WeakRef<Presence>>>('oneport.copies', () => new Set())

/** The key of a request's handshake, the same for all copies of this edition. */
export const handshakeKey: unique symbol = Symbol.for(`oneport.handshake@${edition}`) as never

let hasJoined = false

/** Makes this copy known to the others. */
export function joinCopies(copy: Copy): void {
  if (hasJoined) return
  hasJoined = true
  copies.add(new WeakRef(copy))
  presences.add(new WeakRef(presence))
}

/** All copies that have attached a server and are still in use. */
export const allCopies = (): Copy[] => living(copies)

function living<Value extends object>(references: Set<WeakRef<Value>>): Value[] {
  const values: Value[] = []
  for (const reference of references) {
    const value = reference.deref()
    if (value === undefined) references.delete(reference)
    else values.push(value)
  }
  return values
}

/**
 * The copy that handles the handshakes of a server; undefined if there is none yet. Two copies on one server would
 * treat each other as foreign listeners and write into each other's connections.
 */
export const ownerOf = (server: object): Copy | undefined => owners.get(server)

/** The version of a copy that has attached a server and cannot work with this one, if there is one. */
export const strangerOn = (server: object): string | undefined =>
  living(presences).find((copy) => copy.edition !== edition && copy.isAttached(server))?.version

/** Whether a server has an attachment. */
export const isAttached = (server: object): boolean => attachments.has(server)

const presence: Presence = { version, edition, isAttached }

/** The attachment of a server: the first one if it has several, undefined if it has none. */
export const attachmentOf = (server: HttpServer): Attachment | undefined =>
  attachments.get(server)?.values().next().value

/** The number of attachments of a server. */
export const countAttachments = (server: object): number => attachments.get(server)?.size ?? 0

/** The attachment of a server to one application, if there is one. */
export const attachmentTo = (server: object, application: object): Attachment | undefined =>
  attachments.get(server)?.get(application)

export function register(server: object, application: object, attachment: Attachment, copy: Copy): void {
  owners.set(server, copy)
  const ofServer = attachments.get(server) ?? new Map<object, Attachment>()
  attachments.set(server, ofServer.set(application, attachment))
}

export function unregister(server: object, application: object): void {
  const ofServer = attachments.get(server)
  if (!ofServer?.delete(application) || ofServer.size > 0) return
  attachments.delete(server)
  owners.delete(server)
}
