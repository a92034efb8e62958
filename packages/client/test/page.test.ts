import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const page = readFileSync(join(__dirname, '../../../docs/client.md'), 'utf8')
const source = readFileSync(join(__dirname, '../src/options.ts'), 'utf8')

test('the table of options lists those of the code, with their defaults', () => {
  const [, members = ''] = source.split('export interface ReconnectingWebSocketOptions {')
  const inCode = [...members.matchAll(/\/\*\*([\s\S]*?)\*\/\s+readonly (\w+)\?:/g)].map(([, comment = '', name]) => [
    name,
    /@default (.*)/.exec(comment)?.[1] ?? 'none'
  ])
  const [, table = ''] = page.split('## Options')
  const onPage = [...table.matchAll(/^\| `(\w+)` \| [^|]+ \| ([^|;]+)/gm)].map(([, name, value = '']) => [
    name,
    value.replaceAll('`', '').trim()
  ])
  expect(onPage).toEqual(inCode)
})
