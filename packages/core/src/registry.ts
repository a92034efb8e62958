/**
 * What the copies of core in one process know of each other. Bundlers make copies, and so does a tree of packages with two
 * versions: one attaches the server, another one is asked to accept.
 */
import type { Attachment, HttpServer } from './attachment.ts'
import { version } from './version.ts'

/**
 * A copy of core, as the others call it. Each of its functions takes what the copy's own function of this name takes, and
 * does what that does. What is here is promised to every version that has `@1` in its keys.
 */
export interface Copy {
  readonly version: string
  attach(server: object, dispatch: unknown, options: object | undefined, adapter: object | undefined): Attachment
  agree(req: object, options: object | undefined, handler: unknown, framework: object): Agreed
  checkHandshake(req: object, options: object | undefined, framework: object): Pick<Agreed, 'subprotocol'>
  limitPending(req: object, effective: object | undefined, framework?: object): void
  answerFault(req: object, res: object, thrown: unknown): void
  /** Undefined for a socket that this copy has not opened. */
  renew(socket: object, expiresAt: Date | number): boolean | undefined
}

interface Agreed {
  readonly subprotocol: string | undefined
  settled(): Promise<boolean>
}

interface Registry {
  /** A copy that is not used any more is collected: a dev server loads one for each reload. */
  readonly copies: Set<WeakRef<Copy>>
  /** The copy that takes the handshakes of a server, for all its attachments. */
  readonly owners: WeakMap<object, Copy>
  /** The attachments of each server by the application that they are for, in the order in which they are asked. */
  readonly attachments: WeakMap<object, Map<object, Attachment>>
}

/** What a copy of any version says of itself. This never changes. */
export interface Presence {
  readonly version: string
  /** Which copies it can work with: those with the same number. */
  readonly edition: number
  isAttached(server: object): boolean
}

const edition = 1

/** The value that all copies have under a name. */
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

/** The key under which a request has its handshake, for all copies of this edition. */
export const handshakeKey: unique symbol = Symbol.for(`oneport.handshake@${edition}`) as never

let hasJoined = false

/** Lets the other copies know of this one. */
export function joinCopies(copy: Copy): void {
  if (hasJoined) return
  hasJoined = true
  copies.add(new WeakRef(copy))
  presences.add(new WeakRef(presence))
}

/** All that have attached a server so far, and are still there. */
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
 * The copy that takes the handshakes of a server; undefined where nobody does yet. Two of them would take each other for
 * foreign listeners, and write into each other's connections.
 */
export const ownerOf = (server: object): Copy | undefined => owners.get(server)

/** The version of a copy that has attached a server and cannot work with this one; undefined where there is none. */
export const strangerOn = (server: object): string | undefined =>
  living(presences).find((copy) => copy.edition !== edition && copy.isAttached(server))?.version

/** Whether a server is attached to anything. */
export const isAttached = (server: object): boolean => attachments.has(server)

const presence: Presence = { version, edition, isAttached }

/** The attachment of a server, the first one where it has several; undefined where it has none. */
export const attachmentOf = (server: HttpServer): Attachment | undefined =>
  attachments.get(server)?.values().next().value

/** How many attachments a server has. */
export const countAttachments = (server: object): number => attachments.get(server)?.size ?? 0

/** The attachment of a server to one application. */
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
