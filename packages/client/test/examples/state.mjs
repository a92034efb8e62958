import { ReconnectingWebSocket } from '@oneport/client'

const url = process.argv[2]
const show = console.log

const socket = new ReconnectingWebSocket(url)

socket.onstatechange = ({ state, attempt, nextAttempt, error }) => {
  if (state === 'open') show('Connected')
  if (state === 'connecting') show('Connecting …')
  if (state === 'waiting') show(`Attempt ${attempt + 1} at ${new Date(nextAttempt).toLocaleTimeString()}`)
  if (state === 'closed') show(error ? `Disconnected (${error.message})` : 'Disconnected')
}
