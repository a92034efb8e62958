import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { runsRestify11 } from '../src/frameworks.ts'

const folder = join(__dirname, '..', 'contracts')
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.mjs') && !/^(?:answer|run)\./.test(file))
  .filter((file) => runsRestify11 || file !== 'restify-11.mjs')

// A case has 10 s, and a program some hundred of them.
jest.setTimeout(60_000)

describe('the contract for adapters', () => {
  test.each(names.map((file) => file.slice(0, -'.mjs'.length)))('holds in %s without an adapter', async (name) => {
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'run.mjs'), name])
    expect(stdout.split('\n').filter((line) => !line.startsWith('passed'))).toEqual([''])
    expect(Number(/^passed (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(90)
  })
})
