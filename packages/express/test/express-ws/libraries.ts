import type { expressWs } from '../../src/express-ws/express-ws.ts'
import type { ExpressModule } from '../versions.ts'

/** express-ws, or our replacement, with its own copy of Express, because both patch what all routers share. */
export interface Library {
  readonly express: ExpressModule
  readonly expressWs: typeof expressWs
}

const packages = { 'Express 5': 'express', 'Express 4': 'express4' }

/** Loads one of them as an application with this version of Express does. */
export function load(name: 'ours' | 'the real one', version: keyof typeof packages): Library {
  let express: unknown
  let library: unknown
  jest.isolateModules(() => {
    jest.doMock('express', () => jest.requireActual(packages[version]))
    express = require('express')
    library = name === 'ours' ? require('../../src/express-ws/express-ws.ts').expressWs : require('express-ws')
  })
  jest.dontMock('express')
  return { express: express as ExpressModule, expressWs: library as typeof expressWs }
}

const table = (name: 'ours' | 'the real one'): [name: string, library: Library, loadAgain: () => Library][] =>
  (['Express 5', 'Express 4'] as const).map((version) => [
    `${name}, ${version}`,
    load(name, version),
    () => load(name, version)
  ])

/** For `describe.each`. */
export const ours = table('ours')

/** Those that behave the same. */
export const both = [...ours, ...table('the real one')]
