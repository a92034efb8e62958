/** The broadcast message: 256 characters of JSON, as in a chat. */
export const broadcastText = JSON.stringify({
  type: 'message',
  room: 'lobby',
  id: 'b3b1a9f2-5c77-4a5e-9d55-2f4f9c1f7a10',
  from: { id: 4711, name: 'Ada Lovelace' },
  sentAt: '2025-01-31T12:34:56.789Z',
  text: 'The engine weaves algebraic patterns just as the Jacquard loom weaves flowers, leaves.'
}).padEnd(256)

/** A message of another size. A larger one consists of such messages, each with another ID, so that it is compressed as a list of them is. */
export function broadcastTextOf(size: number): string {
  const count = Math.ceil(size / broadcastText.length)
  const messages = Array.from({ length: count }, (_, index) =>
    broadcastText.replace(/[0-9a-f]{8}-/, `${(Math.imul(index, 2_654_435_761) >>> 0).toString(16).padStart(8, '0')}-`)
  )
  return messages.join('').slice(0, size)
}

/** A client's message says how often to broadcast in one tick. */
export function broadcastAsAsked(message: string, broadcast: () => void): void {
  for (let left = Number(message); left > 0; left--) broadcast()
}
