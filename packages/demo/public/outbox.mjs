/** Messages that were written and not acknowledged yet. */
export class Outbox {
  #publish
  #onChange
  /** By their IDs. */
  #waiting = new Map()

  /**
   * @param publish sends a message to the room, and returns a promise that rejects with a `code`
   * @param onChange called when a message was taken in, was sent, or is returned with the code of the error
   */
  constructor(publish, onChange) {
    this.#publish = publish
    this.#onChange = onChange
  }

  /** How many wait. */
  get size() {
    return this.#waiting.size
  }

  /** Sends a message, now or once there is a connection. */
  async send(said) {
    this.#waiting.set(said.id, said)
    this.#onChange('waiting', said)
    while (this.#waiting.has(said.id)) {
      try {
        await this.#publish(JSON.stringify(said))
        this.settle(said)
      } catch ({ code }) {
        // Nobody knows whether it was published. Pages show a message once, so it does no harm to publish it again.
        if (code !== 'unknown' && this.#waiting.delete(said.id)) this.#onChange('returned', said, code)
      }
    }
  }

  /** Called when a message was acknowledged, or when it is in the room, which is as good. */
  settle(said) {
    if (this.#waiting.delete(said.id)) this.#onChange('sent', said)
  }
}
