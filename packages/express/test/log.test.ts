import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { versions } from './versions.ts'

// Starting processes takes long on a busy machine.
jest.setTimeout(60_000)

const details = [
  `    origin "http://localhost:5173", effective host "localhost:3000", scheme unknown, allowed: 'same-origin'`,
  '    The page is on another port, so it has another origin. ' +
    "To allow it: allowedOrigins: ['same-origin', 'http://localhost:5173']",
  '    If a dev server forwards its WebSockets, have it keep Host instead (Vite: changeOrigin: false)'
]
const ofExpress = ['HandshakeError [HANDSHAKE_ORIGIN]: Origin "http://localhost:5173" is not allowed here.', ...details]
const ours = [`oneport: HANDSHAKE_ORIGIN: ${details[0]?.trim()}`, ...details.slice(1)]

describe.each(versions)('A refused origin in %s', (version) => {
  test.each(['development', 'production', 'test'])(
    'regression: was printed twice; now once, with all that the operator needs, with NODE_ENV=%s',
    async (environment) => {
      const env = { ...process.env, NODE_ENV: environment }
      const args = ['-r', 'esbuild-register', 'refused.ts', version]
      const { stderr } = await promisify(execFile)(process.execPath, args, { cwd: join(__dirname, 'process'), env })
      const byExpress = environment === 'test' ? ours : ofExpress
      expect(stderr.split('\n')).toEqual([
        '# no error middleware',
        ...byExpress,
        '# an early check',
        ...byExpress,
        '# an application in another',
        ...byExpress,
        '# error middleware that passes it on',
        ...byExpress,
        '# error middleware that answers',
        ...ours,
        '# error middleware that cuts the connection',
        ...ours,
        ''
      ])
    }
  )
})
