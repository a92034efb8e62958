import { freePort } from '@oneport/test-kit'
import { behavioursOf } from '../../src/behaviours.ts'
import { frameworks } from '../../src/frameworks.ts'
import { provide, run, write } from '../stage.ts'

test('the recipe for h3 1 shows what the table says', async () => {
  const port = await freePort()
  const folder = write('h3-1', { 3000: port })
  provide(folder, 'h3', 'h3-1')
  expect(await behavioursOf(await run(folder, ['server.js'], port))).toEqual(frameworks['h3-1']?.behaviours)
})
