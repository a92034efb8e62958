import { createRequire } from 'node:module'
import { join } from 'node:path'

/** One version of NestJS, with `@oneport/nestjs` on top of it. */
export interface Nest {
  readonly common: typeof import('@nestjs/common')
  readonly core: typeof import('@nestjs/core')
  readonly websockets: typeof import('@nestjs/websockets')
  readonly testing: typeof import('@nestjs/testing')
  readonly express: typeof import('@nestjs/platform-express')
  readonly fastify: typeof import('@nestjs/platform-fastify')
  readonly ws: typeof import('@nestjs/platform-ws')
  readonly controller: typeof import('@nestjs/websockets/web-sockets-controller')
  readonly oneport: typeof import('../src/index.ts')
}

const require11 = createRequire(join(__dirname, 'nest11', 'package.json'))

/** Everything that the sources and the tests import of Nest. */
const imported = [
  '@nestjs/common',
  '@nestjs/common/constants',
  '@nestjs/core',
  '@nestjs/core/guards/guards-consumer',
  '@nestjs/core/guards/guards-context-creator',
  '@nestjs/core/helpers/execution-context-host',
  '@nestjs/core/injector/injector',
  '@nestjs/core/injector/instance-wrapper',
  '@nestjs/core/interceptors/interceptors-consumer',
  '@nestjs/core/interceptors/interceptors-context-creator',
  '@nestjs/core/pipes/pipes-consumer',
  '@nestjs/core/pipes/pipes-context-creator',
  '@nestjs/core/router/request/request-constants',
  '@nestjs/core/router/route-params-factory',
  '@nestjs/core/router/router-exception-filters',
  '@nestjs/core/router/router-execution-context',
  '@nestjs/platform-express',
  '@nestjs/platform-fastify',
  '@nestjs/platform-ws',
  '@nestjs/testing',
  '@nestjs/websockets',
  '@nestjs/websockets/constants',
  '@nestjs/websockets/web-sockets-controller'
]

/**
 * What runs on top of NestJS 12. Everything is in the registry of the test file, because NestJS loads some of its modules
 * when an application starts.
 */
export const nest12: Nest = {
  common: require('@nestjs/common'),
  core: require('@nestjs/core'),
  websockets: require('@nestjs/websockets'),
  testing: require('@nestjs/testing'),
  express: require('@nestjs/platform-express'),
  fastify: require('@nestjs/platform-fastify'),
  ws: require('@nestjs/platform-ws'),
  controller: require('@nestjs/websockets/web-sockets-controller'),
  oneport: require('../src/index.ts')
}

/** A second copy of the sources, which gets NestJS 11 by the names that they import. */
function sourcesOn11(): Nest['oneport'] {
  let sources: Nest['oneport'] | undefined
  const shared = ['ws', '@oneport/core', '@oneport/core/adapter'].map((name) => [name, require(name)])
  const mocks = [...shared, ...imported.map((name) => [name, require11(name)])] as [name: string, module: object][]
  jest.isolateModules(() => {
    for (const [name, module] of mocks) jest.doMock(name, () => module)
    sources = require('../src/index.ts')
  })
  for (const [name] of mocks) jest.dontMock(name)
  return sources as Nest['oneport']
}

export const nest11: Nest = {
  common: require11('@nestjs/common'),
  core: require11('@nestjs/core'),
  websockets: require11('@nestjs/websockets'),
  testing: require11('@nestjs/testing'),
  express: require11('@nestjs/platform-express'),
  fastify: require11('@nestjs/platform-fastify'),
  ws: require11('@nestjs/platform-ws'),
  controller: require11('@nestjs/websockets/web-sockets-controller'),
  oneport: sourcesOn11()
}

/** The HTTP frameworks below NestJS. */
export type Platform = 'Express' | 'Fastify'

/** For `describe.each`: every version on every framework. */
export const combinations: [name: string, nest: Nest, platform: Platform][] = (
  [
    ['NestJS 11', nest11],
    ['NestJS 12', nest12]
  ] as const
).flatMap(([name, nest]) =>
  (['Express', 'Fastify'] as const).map((platform): [string, Nest, Platform] => [
    `${name} on ${platform}`,
    nest,
    platform
  ])
)
