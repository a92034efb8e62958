import { byId } from './element.mjs'
import { network } from './network.mjs'

const dialog = byId('login')
const form = byId('login-form')
const field = byId('nickname')
const problem = byId('login-problem')

/** The nickname in the cookie, which scripts cannot read; null if there is none. */
export async function whoAmI() {
  const answer = await network.fetch('/nickname')
  return (await answer.json()).nickname
}

/**
 * Asks for a nickname until the server accepts one.
 * @returns the nickname, or `current` if the dialog was canceled
 */
export function logIn(current) {
  const { promise, resolve } = deferred()
  field.value = current ?? ''
  problem.textContent = ''
  byId('login-cancel').hidden = current === null
  dialog.oncancel = (event) => {
    // Without a name there is nothing to go back to.
    if (current === null) event.preventDefault()
  }
  dialog.onclose = () => resolve(dialog.returnValue || current)
  dialog.returnValue = ''
  if (!dialog.open) dialog.showModal()
  field.select()
  return promise
}

form.addEventListener('submit', async (event) => {
  event.preventDefault()
  try {
    const answer = await network.fetch('/nickname', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ nickname: field.value })
    })
    const { nickname, message } = await answer.json()
    if (answer.ok) dialog.close(nickname)
    else problem.textContent = message
  } catch {
    problem.textContent = 'The server does not answer. Try again in a moment.'
  }
})

byId('login-cancel').addEventListener('click', () => dialog.close())

/** `Promise.withResolvers`, which older browsers do not have. */
function deferred() {
  let resolve
  const promise = new Promise((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
