import { differences } from '../src/differences.ts'
import { describeRuntime, page } from './describe-runtime.ts'
import { installed } from './installed.ts'

for (const runtime of installed) if (!runtime.name.startsWith('Node ')) describeRuntime(runtime)

test('docs/runtimes.md names every known difference', () => {
  const flat = page.replace(/\s+/g, ' ')
  expect(differences.filter(({ says }) => !flat.includes(says)).map(({ says }) => says)).toEqual([])
})
