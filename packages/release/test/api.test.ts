import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packages, root, run } from './tarballs.ts'

// Package managers and compilers are slow on a busy machine.
jest.setTimeout(180_000)

const read = (name: string, file: string): string => readFileSync(join(root, 'packages', name, file), 'utf8')

describe('the reports of the public interface', () => {
  test('are up to date', async () => {
    await run(process.execPath, [join(root, 'scripts/api.mjs'), '--check'])
  })

  test.each(packages)('of %s has a section for each entry', (name) => {
    const { exports } = JSON.parse(read(name, 'package.json')) as { exports: object }
    const entries = Object.keys(exports).filter((path) => path !== './package.json')
    const sections = read(name, 'api.md').match(/(?<=^## `).*(?=`$)/gm)
    expect(sections).toEqual(entries.map((path) => path.replace('.', `@oneport/${name}`)))
  })

  test('show the codes of refusals, and the additions to a Fastify instance', () => {
    expect(read('core', 'api.md')).toContain('HANDSHAKE_ORIGIN')
    expect(read('fastify', 'api.md')).toMatch(/declare module 'fastify' \{[^`]* websockets: Attachment;/)
  })
})
