import { chromium, describeWith } from '@oneport/test-kit'
import type { Page } from 'playwright-core'
import type { Program } from '../../src/program.ts'
import { expectComplaints, openPage, start } from '../stage.ts'

const as = (name: string): string => `?name=${encodeURIComponent(name)}`

/** The next message of a type. */
async function nextOf({ next }: { next(): Promise<string> }, type: string): Promise<Record<string, unknown>> {
  for (;;) {
    const message = JSON.parse(await next())
    if (message.type === type) return message
  }
}

describe('the application chat', () => {
  test('broadcasts to one room and no other, and lists who is there', async () => {
    const program = await start('chat')
    const ada = await program.connect(`/rooms/tea${as('Ada')}`)
    expect(await nextOf(ada, 'people')).toEqual({ type: 'people', people: ['Ada'] })
    const grace = await program.connect(`/rooms/tea${as('Grace')}`)
    const alan = await program.connect(`/rooms/coffee${as('Alan')}`)
    expect(await nextOf(ada, 'people')).toEqual({ type: 'people', people: ['Ada', 'Grace'] })

    ada.socket.send(' Milk first? ')
    const said = { type: 'said', name: 'Ada', text: 'Milk first?', at: expect.any(Number) }
    expect(await nextOf(ada, 'said')).toEqual(said)
    expect(await nextOf(grace, 'said')).toEqual(said)
    alan.socket.send('Black.')
    expect(await nextOf(alan, 'said')).toMatchObject({ name: 'Alan', text: 'Black.' })

    grace.socket.close()
    expect(await nextOf(ada, 'people')).toEqual({ type: 'people', people: ['Ada'] })
  })

  test('refuses invalid rooms and names with 400', async () => {
    const program = await start('chat')
    const [room, name] = ['a'.repeat(33), `name=${'a'.repeat(33)}`]
    for (const path of ['/rooms/a%2Fb?name=Ada', `/rooms/${room}?name=Ada`, '/rooms/tea', `/rooms/tea?${name}`]) {
      expect((await program.connect(path)).status).toBe(400)
    }
  })

  test('accepts rooms and names in any script', async () => {
    const program = await start('chat')
    const ada = await program.connect(`/rooms/${encodeURIComponent('茶')}${as('Αδα')}`)
    expect(await nextOf(ada, 'people')).toEqual({ type: 'people', people: ['Αδα'] })
  })

  test('security: refuses pages of other sites, long messages, and floods', async () => {
    const program = await start('chat')
    expect((await program.connect('/rooms/tea?name=Eve', { origin: 'https://evil.example' })).status).toBe(403)
    const long = await program.connect('/rooms/tea?name=Eve')
    long.socket.send('a'.repeat(5_000))
    expect((await long.closed).code).toBe(1009)
    const quick = await program.connect('/rooms/tea?name=Eve')
    for (let count = 0; count < 30; count++) quick.socket.send('more')
    expect((await quick.closed).code).toBe(1008)
  })
})

describeWith(chromium, 'the page of the application chat', () => {
  async function enter(program: Program, name: string, room = 'lobby'): Promise<Page> {
    const page = await openPage(`${program.origin}/#${encodeURIComponent(room)}`)
    await page.getByLabel('Your name').fill(name)
    await page.getByRole('button', { name: 'Enter' }).click()
    await page.getByText('Online').waitFor()
    return page
  }

  async function say(page: Page, text: string): Promise<void> {
    await page.getByLabel('Message').fill(text)
    await page.keyboard.press('Enter')
  }

  const message = (page: Page, text: string) => page.getByRole('log').getByRole('listitem').filter({ hasText: text })

  test('lets two people talk', async () => {
    const program = await start('chat')
    const [ada, grace] = [await enter(program, 'Ada'), await enter(program, 'Grace')]
    await ada.getByText('Here: Ada, Grace').waitFor()
    await say(ada, 'Hello, Grace')
    await message(grace, 'Hello, Grace').getByText('Ada').waitFor()
    expect(await message(ada, 'Hello, Grace').getAttribute('class')).toBe('mine')
    expect(await message(grace, 'Hello, Grace').getAttribute('class')).not.toBe('mine')
    await grace.close()
    await ada.getByText('Here: Ada', { exact: true }).waitFor()
  })

  test('security: shows markup as text', async () => {
    const program = await start('chat')
    const [ada, eve] = [await enter(program, 'Ada', 'tea'), await enter(program, '<i>Eve</i>', 'tea')]
    await say(eve, '<img src=x onerror=alert(1)>')
    await message(ada, '<img src=x onerror=alert(1)>').getByText('<i>Eve</i>').waitFor()
    await ada.getByText('Here: <i>Eve</i>, Ada').waitFor()
    expect(await ada.locator('main img, main i').count()).toBe(0)
  })

  test('reconnects when the server is back, and keeps what could not be sent', async () => {
    const program = await start('chat')
    const ada = await enter(program, 'Ada')
    // Of the attempts while nobody listens.
    expectComplaints(/ERR_CONNECTION_REFUSED/)
    const isWaiting = ada.getByText('Offline. Trying again…').waitFor()
    await program.end()
    await isWaiting
    await say(ada, 'Is anybody there?')
    expect(await ada.getByLabel('Message').inputValue()).toBe('Is anybody there?')
    await start('chat', {}, program.port)
    await ada.getByText('Online').waitFor()
    await ada.keyboard.press('Enter')
    await message(ada, 'Is anybody there?').waitFor()
  })
})
