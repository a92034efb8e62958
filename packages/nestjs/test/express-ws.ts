/**
 * The interface of express-ws 5 on top of `acceptWebSocket`. Everything that has to be patched for it is patched in this
 * folder: `ws` and `handle` of the application, and `ws` of all routers.
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
  /** Makes a router. It has the method `ws`. */
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
 * Gives an application and all routers the method `ws`, as express-ws does. Middleware runs before the 101, and what it
 * refuses gets an ordinary response. Call it before the routers are filled.
 *
 * As with express-ws, text comes to listeners as a string, and the first subprotocol that a client offers is answered
 * where neither `subprotocols` nor `wsOptions.handleProtocols` says otherwise.
 *
 * @param server takes the handshakes for the application, whatever it does with ordinary requests. Left out, every
 *   server does whose `request` listener the application is. A second call adds a second server.
 * @throws TypeError for wrong options, for options of `ws` that have no meaning here, and for options of a second call
 * @throws Error where the server is attached already
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
    throw new TypeError('expressWs: this application has its options already; give them to the first call')
  }
  const { mount, instance } = known ?? open(app, options ?? {})
  if (server) attachServer(server, mount, app)
  return instance
}

/** What the first call made of an application. */
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

/** What routers inherit their methods from: on Express 4 the function that makes them. */
const routerPrototype = ('use' in express.Router ? express.Router : express.Router.prototype) as RouterLike
