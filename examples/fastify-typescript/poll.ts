import type { WebSocket } from '@oneport/fastify'
import { createTopics } from '@oneport/topics'
import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'

/** What a page sends. */
const Vote = Type.Object({ type: Type.Literal('vote'), choice: Type.String({ maxLength: 32 }) })
type Vote = Static<typeof Vote>

/** What it is sent. */
export interface Count {
  readonly type: 'count'
  readonly question: string
  readonly votes: Readonly<Record<string, number>>
}

const vote = Compile(Vote)

/** A question, and those who watch the answers come in. A client has one vote and may change it. */
export class Poll {
  readonly #question: string
  readonly #choices: readonly string[]
  readonly #votes = new Map<WebSocket, string>()
  readonly #topics = createTopics({ whenSlow: 'latest' })

  constructor(question: string, choices: readonly string[]) {
    this.#question = question
    this.#choices = choices
  }

  join(socket: WebSocket): void {
    this.#topics.subscribe(socket, 'count')
    socket.send(JSON.stringify(this.count))
    socket.on('message', (data) => {
      const message = readVote(String(data))
      if (message === undefined || !this.#choices.includes(message.choice)) socket.close(1008, 'not a vote')
      else this.#set(socket, message.choice)
    })
    socket.on('close', () => this.#set(socket, undefined))
  }

  get count(): Count {
    const votes = Object.fromEntries(this.#choices.map((choice) => [choice, 0]))
    for (const choice of this.#votes.values()) votes[choice] = (votes[choice] ?? 0) + 1
    return { type: 'count', question: this.#question, votes }
  }

  #set(socket: WebSocket, choice: string | undefined): void {
    if (choice === undefined) this.#votes.delete(socket)
    else this.#votes.set(socket, choice)
    this.#topics.publish('count', JSON.stringify(this.count))
  }
}

/** A vote; undefined for any other text. */
function readVote(text: string): Vote | undefined {
  try {
    const message: unknown = JSON.parse(text)
    return vote.Check(message) ? message : undefined
  } catch {
    return undefined
  }
}
