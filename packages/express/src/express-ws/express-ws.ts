/**
 * The interface of express-ws 5, built on `acceptWebSocket`. All monkey patches for it are in this folder: `ws` and
 * `handle` of the application, and `ws` of all routers.
 */
import type { Server } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { AttachOptions } from '@oneport/core'
import { checkOptions, show, splitOptions } from '@oneport/core/adapter'
import express from 'express'
import { addMount, createMount } from '../mounting.ts'
import type { Mount } from '../registry.ts'
import { attachServer, watchServers } from '../servers.ts'
import { Entrance, type Handling, takeHandshakes } from './entrance.ts'
import { addWsMethod } from './routes.ts'
import { endpointOptionsOf } from './server-options.ts'
import type {
  Application,
  Instance,
  Options,
  Router,
  RouterLike,
  SocketServer,
  WebsocketMethod,
  WebsocketRequestHandler,
  WithWebsocketMethod
} from './types.ts'

declare module 'express' {
  /** Creates a router with the method `ws`. */
  function Router(options?: express.RouterOptions): expressWs.Router
}

export declare namespace expressWs {
  export type {
    Application,
    Instance,
    Options,
    Router,
    RouterLike,
    SocketServer,
    WebsocketMethod,
    WebsocketRequestHandler,
    WithWebsocketMethod
  }
}

/**
 * Adds the method `ws` to an application and to all routers, like express-ws. Middleware runs before the 101, so if it
 * refuses a handshake, the client gets an ordinary response. Call it before you add routes.
 *
 * If Oneport refuses a handshake, it answers with the status of the `HandshakeError` and calls `onRefused`. Error middleware
 * does not see the error.
 *
 * As with express-ws, listeners get text as a string, and the first subprotocol that a client offers is chosen, unless
 * `subprotocols` or `wsOptions.handleProtocols` decides otherwise.
 *
 * @param server passes its handshakes to the application, whatever it does with ordinary requests. By default, every
 *   server whose `request` listener is the application does. A second call adds a second server.
 * @throws TypeError for invalid options, for options of `ws` that have no meaning here, and for options in a second
 * call
 * @throws Error if the server is already attached
 */
export function expressWs(app: express.Application, server?: Server | HttpsServer | null, options?: Options): Instance {
  if (typeof app?.use !== 'function')
    throw new TypeError(`expressWs: expected an Express application; got ${show(app)}`)
  if (server && typeof server.on !== 'function') {
    throw new TypeError(
      `expressWs: expected a server as the second argument; got ${show(server)}. Options are the third argument: ` +
        'expressWs(app, undefined, options)'
    )
  }
  const known = applications.get(app)
  if (known !== undefined && options !== undefined && options !== known.options) {
    throw new TypeError('expressWs: this application already has options; pass them to the first call')
  }
  const { mount, instance } = known ?? open(app, options ?? {})
  if (server) attachServer(server, mount, app)
  return instance
}

/** What the first call has created for an application. */
interface Known {
  readonly options: Options
  readonly mount: Mount
  readonly instance: Instance
}

const applications = new WeakMap<object, Known>()

function open(app: express.Application, options: Options): Known {
  const { leaveRouterUntouched = false, wsOptions = {}, ...own } = options
  const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined))
  const all: AttachOptions = { ...endpointOptionsOf(wsOptions), ...given }
  checkOptions(all, 'expressWs', expressWs, ['leaveRouterUntouched', 'wsOptions'])
  const mount = createMount(all)
  addMount(app, mount)
  watchServers()
  addWsMethod(app)
  if (!leaveRouterUntouched) addWsMethod(routerPrototype)
  const entrance = new Entrance(splitOptions(all).endpoint, wsOptions)
  takeHandshakes(app as unknown as Handling, entrance)
  const instance = { app: app as Application, applyTo: addWsMethod, getWss: () => entrance.sockets }
  const known: Known = { options, mount, instance }
  applications.set(app, known)
  return known
}

/** The object from which routers inherit their methods. On Express 4, it is the function that creates them. */
const routerPrototype = ('use' in express.Router ? express.Router : express.Router.prototype) as RouterLike
