import { freePort } from '@oneport/test-kit'
import { installed } from '../../../runtimes/test/installed.ts'
import { behavioursOf } from '../../src/behaviours.ts'
import { frameworks } from '../../src/frameworks.ts'
import { provide, run, write } from '../stage.ts'

/** What every application has anyway. */
const others = {
  'package.json': JSON.stringify({
    type: 'module',
    imports: {
      '#exceptions/*': './app/exceptions/*.js',
      '#middleware/*': './app/middleware/*.js',
      '#services/*': './app/services/*.js',
      '#start/*': './start/*.js'
    }
  }),
  'adonisrc.js': `
    import { defineConfig } from '@adonisjs/core/app'
    export default defineConfig({
      providers: [() => import('@adonisjs/core/providers/app_provider')],
      preloads: [() => import('#start/routes'), () => import('#start/kernel')]
    })`,
  'config/app.js': `
    import { defineConfig } from '@adonisjs/core/http'
    export const appKey = 'a key of thirty-two characters, or more'
    export const http = defineConfig({})`,
  'config/logger.js': `
    import { defineConfig } from '@adonisjs/core/logger'
    export default defineConfig({ default: 'app', loggers: { app: { enabled: false } } })`,
  'app/exceptions/handler.js': `
    import { ExceptionHandler } from '@adonisjs/core/http'
    export default class extends ExceptionHandler {
      debug = false
    }`
}

/** Since version 7. */
const encryption = {
  'config/encryption.js': `
    import { defineConfig, drivers } from '@adonisjs/core/encryption'
    import { appKey } from './app.js'
    export default defineConfig({ default: 'app', list: { app: drivers.aes256gcm({ id: 'app', keys: [appKey] }) } })`
}

/** AdonisJS 7 needs Node 24. */
const hasNode24 = Number(process.versions.node.split('.')[0]) >= 24
const node24 = hasNode24 ? process.execPath : installed.find(({ name }) => name === 'Node 24')?.path

async function shows(version: 6 | 7, node?: string): Promise<void> {
  const port = await freePort()
  const folder = write('adonisjs', {}, version === 7 ? { ...others, ...encryption } : others)
  provide(folder, '@adonisjs/core', `adonisjs-core-${version}`)
  const program = await run(folder, ['bin/server.js'], port, { HOST: 'localhost', PORT: String(port) }, node)
  expect(await behavioursOf(program)).toEqual(frameworks.adonisjs?.behaviours)
}

describe('the recipe for AdonisJS shows what the table says', () => {
  test('with version 6', () => shows(6))

  const isMissing = node24 === undefined && process.env.CI !== 'true'
  const run = isMissing ? test.skip : test
  run(`with version 7${isMissing ? ', which needs Node 24' : ''}`, () => shows(7, node24))
})
