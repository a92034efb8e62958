import { randomUUID } from 'node:crypto'
import { CloseCode, type WebSocket } from '@oneport/core'
import { createTopics, type Topics } from '@oneport/topics'
import type { Backplanes } from './address.ts'
import { Allowance } from './allowance.ts'
import type { Exchange } from './exchange.ts'
import { maxTextLength, readSay, type Said, type ServerMessage } from './message.ts'
import { type People, Presence } from './presence.ts'

const maxRooms = 200
const maxPeople = 100
const maxHistory = 50

/** The topic that every socket subscribes to. No room can have this name. */
const everybody = '*'

/** Someone who enters a room. */
export interface Visitor {
  readonly room: string
  readonly nickname: string
  readonly handshake: Exchange
}

interface Room {
  readonly name: string
  /** Someone with two windows is in it twice. */
  readonly sockets: Map<WebSocket, string>
  readonly history: Said[]
}

/** The rooms and who is in them. It knows sockets, but neither HTTP nor a framework. */
export class Chat {
  readonly #rooms = new Map<string, Room>()
  /** The messages, in all processes that share the backplane. A client that does not read is closed. */
  readonly #said: Topics
  /** Who is in the rooms, and which rooms there are. Each process tells its own sockets. */
  readonly #here = createTopics()
  /** Who is in the rooms of other processes. */
  readonly #presence: Presence | undefined
  #announcing = false

  constructor(backplanes?: Backplanes) {
    this.#said = createTopics({ backplane: backplanes?.said })
    if (backplanes === undefined) return
    this.#presence = new Presence(
      backplanes.people,
      () => this.#peopleHere(),
      (changed) => this.#tellPeople(changed)
    )
  }

  /** Whether a room is full, or there are too many rooms to open another. */
  isFull(name: string): boolean {
    const room = this.#rooms.get(name)
    return room === undefined ? this.#rooms.size >= maxRooms : room.sockets.size >= maxPeople
  }

  /** Puts a socket into a room until it closes. */
  join(socket: WebSocket, { room: name, nickname, handshake }: Visitor): void {
    const room = this.#enter(socket, name, nickname)
    const allowance = new Allowance(performance.now())

    socket.on('message', (data, isBinary) => {
      const text = isBinary ? undefined : readSay(String(data))
      if (text === undefined) socket.close(CloseCode.POLICY_VIOLATION, 'not a message of chat.v1')
      else if (!allowance.take(performance.now()))
        refuse(socket, text, 'That was fast. Wait a moment, then send it again.')
      else if (text.length > maxTextLength) refuse(socket, text, `A message has at most ${maxTextLength} characters.`)
      else this.#say(room, nickname, text.trim())
    })
    socket.on('close', () => this.#leave(socket, room))

    const people = this.#people().get(name) ?? []
    send(socket, { type: 'welcome', room: name, nickname, people, history: room.history, handshake })
    this.#onMove(room)
  }

  /** Ends all subscriptions and closes the backplanes. */
  async close(): Promise<void> {
    await Promise.all([this.#presence?.close(), this.#said.close(), this.#here.close()])
  }

  #enter(socket: WebSocket, name: string, nickname: string): Room {
    const room = this.#rooms.get(name) ?? { name, sockets: new Map(), history: [] }
    this.#rooms.set(name, room)
    room.sockets.set(socket, nickname)
    this.#said.subscribe(socket, name)
    this.#here.subscribe(socket, name)
    this.#here.subscribe(socket, everybody)
    return room
  }

  #leave(socket: WebSocket, room: Room): void {
    room.sockets.delete(socket)
    if (room.sockets.size === 0) this.#rooms.delete(room.name)
    this.#onMove(room)
  }

  /** Called when someone has entered or left a room of this process. */
  #onMove(room: Room): void {
    this.#presence?.tell()
    this.#tellPeople([room.name])
  }

  #say(room: Room, nickname: string, text: string): void {
    if (text === '') return
    const said: Said = { type: 'said', id: randomUUID(), nickname, text, at: Date.now() }
    room.history.push(said)
    if (room.history.length > maxHistory) room.history.shift()
    this.#said.publish(room.name, stringify(said))
  }

  /** Tells the sockets in these rooms who is there, and all sockets which rooms there are. */
  #tellPeople(names: readonly string[]): void {
    const people = this.#people()
    for (const name of names) {
      this.#here.publish(name, stringify({ type: 'people', people: people.get(name) ?? [] }))
    }
    this.#announceRooms()
  }

  /** Tells everyone which rooms are open: once per turn of the event loop, however many people move. */
  #announceRooms(): void {
    if (this.#announcing) return
    this.#announcing = true
    setImmediate(() => {
      this.#announcing = false
      const rooms = Array.from(this.#people(), ([name, { length }]) => ({ name, people: length }))
      this.#here.publish(everybody, stringify({ type: 'rooms', rooms }))
    })
  }

  /** Who is in each room, in all processes. Someone with two windows counts once. */
  #people(): People {
    const people = new Map(this.#peopleHere())
    for (const other of this.#presence?.others ?? []) {
      for (const [name, nicknames] of other) people.set(name, sorted([...(people.get(name) ?? []), ...nicknames]))
    }
    return people
  }

  #peopleHere(): People {
    return new Map(Array.from(this.#rooms.values(), ({ name, sockets }) => [name, sorted(sockets.values())]))
  }
}

const refuse = (socket: WebSocket, text: string, reason: string): void =>
  send(socket, { type: 'refused', reason, text })

const sorted = (nicknames: Iterable<string>): string[] => [...new Set(nicknames)].sort((a, b) => a.localeCompare(b))

const stringify = (message: ServerMessage): string => JSON.stringify(message)

function send(socket: WebSocket, message: ServerMessage): void {
  if (socket.readyState === socket.OPEN) socket.send(stringify(message))
}
